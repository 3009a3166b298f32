#!/bin/sh
convex run seed:one; convex run 'seed:two' '{}' # FOUND: internal run seed:one, internal run seed:two
if [ "$1" ]; then npx convex run "seed:$1"; fi # DYNAMIC: seed
echo "convex run failed; what convex run said is above"
timeout 60 npx convex run init && env CI=1 convex run seed:late # FOUND: internal run init:default, internal run seed:late
op run --env-file x convex run seed:wrapped # FOUND: internal run seed:wrapped
# convex run seed:none
found="$(bunx convex run --no-push seed:captured)" # FOUND: internal run seed:captured
(cd app && found=$(npx convex run seed:closed)) # FOUND: internal run seed:closed
npx convex run --url "$(address prod)" seed:there # FOUND: internal run seed:there
