#!/bin/sh
convex run seed:one; convex run 'seed:two' '{}' # FOUND: internal run seed:one, internal run seed:two
if [ "$1" ]; then npx convex run "seed:$1"; fi # DYNAMIC: seed
# convex run seed:none
