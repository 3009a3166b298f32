#!/bin/sh
set -e
npx convex deploy
