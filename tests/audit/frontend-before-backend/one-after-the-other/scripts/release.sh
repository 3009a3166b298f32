#!/usr/bin/env bash
set -e
npx convex deploy --yes
bunx wrangler pages deploy dist --project-name=app --branch=main # OK
