#!/bin/sh
# Makes .venv with the pinned requirements, using Python and pip alone.
# PYTHON names the interpreter; otherwise the first one that is new enough is taken.
set -eu
cd "$(dirname "$0")/../.."

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-python3.11 python3 python3.12 python3.13 python3.14 python}; do
        if new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and ${PYTHON:-python3.11 or python3} is not it." >&2
    echo "Install it, or name it: make PYTHON=/path/to/python3.11 ..." >&2
    exit 1
}

if ! new_enough .venv/bin/python; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    if ! "$python" -m venv --clear .venv; then
        rm -rf .venv
        echo "This Python cannot make virtual environments." >&2
        echo "Debian and Ubuntu have that part in a package: apt install python3-venv" >&2
        exit 1
    fi
fi
echo "Installing the requirements; the first time takes a minute or two ..."
# The file names every package with its hash, so nothing is left to resolve.
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --require-hashes -r requirements/dev.txt
touch .venv/installed
