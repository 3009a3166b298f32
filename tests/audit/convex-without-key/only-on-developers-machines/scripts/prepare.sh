#!/usr/bin/env bash
set -euo pipefail
TASK="${1:?a task}"
case "$TASK" in
  e2e) TASK=end-to-end ;;
esac

needs_backend() {
  case "$TASK" in
    end-to-end) return 0 ;;
    *) return 1 ;;
  esac
}

is_wanted() {
  local mode="${SYNC:-auto}"
  case "$mode" in
    0) return 1 ;;
    1) return 0 ;;
  esac
  [[ -z "${CI:-}" ]]
}

host() {
  local host="${1#*://}"
  host="${host%%]*}"
  printf '%s' "${host#[}"
}

prepare() {
  npx convex dev --once
}

if needs_backend && is_wanted; then
  prepare
fi
