#!/usr/bin/env bash
f() { (cd apps/web; bunx convex codegen); }
f || exit 0
