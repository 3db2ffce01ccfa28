#!/bin/sh
# Sees to it that the programs are there which tests need and no Python package has:
# Chromium for the browser, PgBouncer for a fault. Takes those that are there, or the
# system's packages. Prints their paths.
set -eu

# Where a user's PATH may not look.
PATH=$PATH:/usr/sbin:/sbin

find_program() {
    for name in "$@"; do
        command -v "$name" && return
    done
    return 1
}

find_chromium() {
    # shellcheck disable=SC2086  # several names
    find_program ${CHROMIUM:-chromium chromium-browser google-chrome}
}

install_command() {
    if command -v apt-get >/dev/null; then
        font=fonts-liberation install="apt-get install -y --no-install-recommends"
    elif command -v dnf >/dev/null; then
        font="" install="dnf install -y"
    elif command -v apk >/dev/null; then
        font=font-liberation install="apk add"
    else
        return 0
    fi
    # Without a font, pages show boxes instead of letters.
    case $missing in *chromium*) missing="$missing $font" ;; esac
    echo "$install $missing"
}

missing=
find_chromium || missing=chromium
find_program pgbouncer || missing="${missing:+$missing }pgbouncer"
[ "$missing" ] || exit 0
command=$(install_command)
if [ -z "$command" ]; then
    echo "The tests need $missing: install your system's packages. A Chromium with" >&2
    echo "another name can be named in CHROMIUM." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "The tests need $missing. Have it installed, as root:" >&2
    echo "    $command" >&2
    exit 1
fi
echo "Installing $missing ..." >&2
case $command in
apt-get*)
    $as_root apt-get update -qq >&2
    $as_root env DEBIAN_FRONTEND=noninteractive $command -qq >&2
    ;;
*)
    $as_root $command >&2
    ;;
esac
case $missing in
*pgbouncer*)
    # A test starts one of its own; the package's service is not wanted.
    if [ -d /run/systemd/system ]; then
        $as_root systemctl disable --quiet --now pgbouncer >&2
    fi
    ;;
esac
find_chromium
find_program pgbouncer
