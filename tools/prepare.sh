#!/bin/sh
# Make the virtual environment $1, or say in one line what this machine lacks.
set -eu
venv=$1
python=${PYTHON:-python3}
fail() { echo "inlay: $1" >&2; exit 1; }

command -v "$python" >/dev/null 2>&1 || fail "no $python here; install Python 3.11 or newer, or run make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version 2>&1) is too old; Inlay needs 3.11 or newer: make PYTHON=python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv"
{ [ -n "${CXX:-}" ] && command -v "$CXX" >/dev/null 2>&1; } || command -v c++ >/dev/null 2>&1 ||
    command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 ||
    fail "no C++ compiler; apt install g++ (Debian, Ubuntu), xcode-select --install (macOS)"
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free" -ge 3000 ] || fail "only $free MB free here; the environment with PyTorch needs 3000 MB"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
