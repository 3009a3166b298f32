#!/usr/bin/env bash
set -euo pipefail
FAILURES="$(mktemp)"
fail() {
  printf '%s\n' "$*" >&2
  printf '%s\n' "$*" >>"$FAILURES"
}
if command -v shellcheck >/dev/null 2>&1; then # OK: asks only where it is
  if shellcheck scripts/check.sh; then echo fine; else fail "check.sh"; fi # OK: written down
else
  echo "no shellcheck here"
fi
[ ! -s "$FAILURES" ]
