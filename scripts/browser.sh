#!/bin/sh
# Installs what the tests need beside Python: Chromium, PostgreSQL, Redis and nginx, from Debian's packages.
set -eu
missing=""
need() { # need <package> <file or command> …: one of them must be there
    package=$1; shift
    for it in "$@"; do
        for match in $it; do [ -x "$match" ] && return 0; done
        command -v "$it" >/dev/null 2>&1 && return 0
    done
    missing="$missing $package"
}
need chromium chromium chromium-browser google-chrome
need postgresql "/usr/lib/postgresql/*/bin/initdb"
need redis-server redis-server
need nginx-light nginx /usr/sbin/nginx
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "[setup] for the tests:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    # Installing a server must not start one.
    [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; made=1; }
    apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends $missing >/dev/null || failed=1
    [ -z "${made:-}" ] || rm -f /usr/sbin/policy-rc.d
    [ -z "${failed:-}" ] || { echo "make test: could not install$missing" >&2; exit 1; }
else
    echo "make test: install$missing (Debian: sudo apt-get install$missing)" >&2
    exit 1
fi
