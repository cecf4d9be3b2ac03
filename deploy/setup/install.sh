#!/bin/sh
# Install the locked dependencies (each file's hash is checked) and busgate itself into a virtual environment.
set -eu
venv=$1
lock=$2
log="$venv/install.log"

printf 'Installing what %s names (hash-checked; a minute or so on a desk, a few on a Pi) …\n' "$lock" >&2
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
if ! "$venv/bin/python" -m pip install --require-hashes --only-binary=:all: -r "$lock" >"$log" 2>&1 &&
   ! "$venv/bin/python" -m pip install --require-hashes -r "$lock" >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    printf 'The dependencies could not be installed; the whole story is in %s.\n' "$log" >&2
    printf 'Next: check that this machine reaches a Python package index, then run make again.\n' >&2
    exit 1
fi
"$venv/bin/python" -m pip install --no-build-isolation --no-deps -e . >>"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    exit 1
}
"$venv/bin/python" -m compileall -q agent firmware-sim >>"$log" 2>&1 || true  # else who may not write here compiles at each start
