#!/usr/bin/env bash
# Creates the virtual environment of the tests (.venv), and creates it again when ct/src/requirements.txt has changed.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)

die() {
  echo "ct/environment.sh: $*" >&2
  exit 1
}

main() {
  local wanted="$project/ct/src/requirements.txt" stamp="$project/.venv/requirements.txt"
  ! cmp -s "$wanted" "$stamp" || return 0
  command -v python3 >/dev/null || die "\`python3\` is needed: install Python 3.9 or later"
  python3 -m venv --clear "$project/.venv" || die "failed to make a virtual environment: install python3-venv"
  "$project/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$stamp"
}

main "$@"
