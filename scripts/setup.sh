#!/bin/sh
# Makes .venv with the locked dependencies and this project, or does nothing when it is up to date.
#
#   PYTHON        the interpreter to use; else the first of python3, python3.13, 3.12, 3.11 that runs
#   VENV          the folder to make (.venv)
#   REQUIREMENTS  the lock file to install (requirements/dev.txt)
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
requirements=${REQUIREMENTS:-requirements/dev.txt}
stamp=$venv/.installed

# Finding a name on PATH proves nothing (version managers put commands there that only fail), so
# each candidate is run.
usable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (4,))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 \
        /usr/bin/python3; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
        if [ "$candidate" = "${PYTHON:-}" ]; then
            echo "PYTHON=$PYTHON is no Python 3.11 or newer that runs" >&2
            exit 1
        fi
    done
    echo "No Python 3.11 or newer was found. Install one (Debian, Ubuntu: apt install python3" \
        "python3-venv; macOS: brew install python), or name one: make PYTHON=/path/to/python3" >&2
    exit 1
}

# The folder's name is part of it: the commands in a venv stop working when it is moved.
wanted=$(
    cksum pyproject.toml "$requirements"
    pwd
    echo "${PYTHON:-}"
)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && usable "$venv/bin/python"; then
    exit 0
fi

python=$(find_python)
version=$("$python" -c 'import platform; print(platform.python_version())')
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "Python $version ($python) cannot make virtual environments." \
        "Debian, Ubuntu: apt install python3-venv" >&2
    exit 1
fi

echo "Making $venv with Python $version"
"$python" -m venv --clear "$venv"

# The machine's own pip settings must not reach in: an option such as PIP_USER breaks a venv.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

echo "Installing $(grep -c '^[a-z]' "$requirements") locked packages from $requirements"
"$venv/bin/python" -m pip install -qq --require-hashes --requirement "$requirements"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --no-index --editable .
echo "$wanted" >"$stamp"
echo "Ready: $venv"
