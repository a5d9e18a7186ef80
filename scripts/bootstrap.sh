#!/bin/sh
# Makes .venv from requirements.lock with Python 3.10 and a pinned uv; a second run with the same lock does nothing.
set -eu
cd "$(dirname "$0")/.."

wanted=$(cat .python-version)
stamp=.venv/installed
lock=$(cksum < requirements.lock)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$lock" ]; then exit 0; fi

say() { printf '%s\n' "$*" >&2; }
fail() { say "make setup: $*"; exit 1; }

# Any Python 3 can hold uv; uv then finds or fetches Python $wanted itself.
find_python() {
    for name in python3 python python3.10 python3.11 python3.12; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 8))' 2>/dev/null
        then printf '%s' "$name"; return; fi
    done
}

if [ ! -x .bootstrap/bin/uv ]; then
    say "[setup 1/3] uv, the installer"
    python=$(PYENV_VERSION="${PYENV_VERSION:-}" find_python)
    [ -n "$python" ] || fail "no Python 3 with the venv module was found. Install Python $wanted (Debian: apt-get install python3 python3-venv)."
    rm -rf .bootstrap
    "$python" -m venv .bootstrap || fail "'$python -m venv' failed. Install the venv module (Debian: apt-get install python3-venv)."
    .bootstrap/bin/pip install --quiet --disable-pip-version-check --require-hashes -r scripts/bootstrap.lock \
        || fail "uv could not be installed: is the package registry reachable?"
fi

# uv looks on the path and, where it may, fetches an interpreter; pyenv's own are shown to it by hand.
interpreter=$wanted
for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$wanted".*/bin/python; do
    [ -x "$found" ] && interpreter=$found
done
say "[setup 2/3] Python $wanted"
.bootstrap/bin/uv venv --quiet --clear --python "$interpreter" .venv \
    || fail "Python $wanted was not found and could not be fetched. Install it (pyenv install $wanted, or uv python install $wanted)."

say "[setup 3/3] packages (about 3.5 GB on disk)"
.bootstrap/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock \
    || fail "the packages of requirements.lock could not be installed."
printf '%s' "$lock" > "$stamp"
