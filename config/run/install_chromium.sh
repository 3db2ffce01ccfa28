#!/bin/sh
# Sees to it that there is a Chromium for the browser tests: the one that is there,
# or the system's package. Prints its path.
set -eu

find_chromium() {
    for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
        command -v "$name" && return
    done
    return 1
}

install_command() {
    if command -v apt-get >/dev/null; then
        # Without a font, pages show boxes instead of letters.
        echo "apt-get install -y --no-install-recommends chromium fonts-liberation"
    elif command -v dnf >/dev/null; then
        echo "dnf install -y chromium"
    elif command -v apk >/dev/null; then
        echo "apk add chromium font-liberation"
    fi
}

find_chromium && exit
command=$(install_command)
if [ -z "$command" ]; then
    echo "The browser tests need Chromium: install your system's package, or name" >&2
    echo "the program in CHROMIUM." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "The browser tests need Chromium. Have it installed, as root:" >&2
    echo "    $command" >&2
    exit 1
fi
echo "Installing Chromium ..." >&2
case $command in
apt-get*)
    $as_root apt-get update -qq >&2
    $as_root env DEBIAN_FRONTEND=noninteractive $command -qq >&2
    ;;
*)
    $as_root $command >&2
    ;;
esac
find_chromium
