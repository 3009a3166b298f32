# Sourced by ./inv and ./nox, with their folder in $root: makes .venv and ci/node_modules when what is there was not
# made for these lock files in this very folder. Otherwise this is one comparison.

fail() {
    printf 'error: %s\n  hint: %s\n' "$2" "$3" >&2
    exit "$1"
}

# The text that ci/bootstrap.py leaves in .venv/.lockstep-stamp as its last act.
wanted() {
    printf '%s\n' "$root"
    cat "$root/ci/bootstrap.py" "$root/requirements.lock" "$root/ci/package-lock.json"
}

is_ready() {
    [ -x "$root/.venv/bin/python" ] && [ -d "$root/ci/node_modules" ] && wanted | cmp -s - "$root/.venv/.lockstep-stamp"
}

# Print the interpreter below any virtual environment, since .venv itself may be the active one.
base_of() {
    "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11) or print(sys._base_executable))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON-}" ]; then
        base_of "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        base_of "$name" && return
    done
    base_of "$(uv python find --no-project '>=3.11' 2>/dev/null)"
}

found_python() {
    "${PYTHON:-python3}" -V 2>/dev/null || echo missing
}

set_up() {
    [ -w "$root" ] || fail 2 "$root cannot be written, and .venv has to be made there" \
        "use a checkout of your own: git clone $root"
    python=$(find_python) || fail 2 "Python 3.11 or newer is needed, and ${PYTHON:-python3} is $(found_python)" \
        "install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) or name it: PYTHON=/path/to/python3 $0"
    wanted | (cd -- "$root" && exec "$python" -I ci/bootstrap.py) || exit
}

root=$(CDPATH='' cd -P -- "$root" && pwd) || exit
export UV_PYTHON_DOWNLOADS=never NOX_DOWNLOAD_PYTHON=never
is_ready || set_up
