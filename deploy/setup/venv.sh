#!/bin/sh
# Make a virtual environment with pip in it, on a machine that may have nothing but python3 and make.
#
# Debian, Ubuntu and Raspberry Pi OS ship python3 without ensurepip; the first way below that works is taken.
set -u
venv=$1
python=${PY:-python3}

say() { printf '%s\n' "$*" >&2; }

if ! command -v "$python" >/dev/null 2>&1; then
    say "busgate needs Python 3.11 or newer, and there is no '$python' here. Next: sudo apt install python3"
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "busgate needs Python 3.11 or newer; this is $("$python" -V 2>&1). Next: make PY=python3.11 … with a newer one"
    exit 1
fi

works() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }
fresh() { rm -rf "$venv"; }

say "Making the virtual environment in $venv …"
fresh
"$python" -m venv "$venv" >/dev/null 2>&1 && works && exit 0
fresh
command -v uv >/dev/null 2>&1 && uv venv -q --seed --python "$python" "$venv" >/dev/null 2>&1 && works && exit 0
fresh
"$python" -m virtualenv -q -p "$python" "$venv" >/dev/null 2>&1 && works && exit 0
fresh
# pip is there but ensurepip is not: let that pip install itself into an empty environment.
"$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$venv" &&
    "$python" -m pip -q --python "$venv/bin/python" install pip >/dev/null 2>&1 && works && exit 0
fresh

# Last way: the distribution's own package, where we may install it.
as_root=
if [ "$(id -u)" = 0 ]; then as_root=env
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=sudo; fi
if [ -n "$as_root" ] && command -v apt-get >/dev/null 2>&1; then
    say "python3 here has no ensurepip: installing the package python3-venv …"
    log=$(mktemp)
    { $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy python3-venv; } >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; }
    rm -f "$log"
    "$python" -m venv "$venv" >/dev/null 2>&1 && works && exit 0
    fresh
fi
say "This python3 cannot make virtual environments (its ensurepip is missing)."
say "Next: sudo apt install python3-venv   and run make again."
exit 1
