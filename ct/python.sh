#!/usr/bin/env bash
# Tests the Python package. Builds its wheel from a static program, installs it into a new virtual environment, and runs its tests
# and mypy there.
#
#   H1MOCK_BINARY=FILE ct/python.sh            FILE is the static program of the mock
#
# Further arguments go to pytest.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)

die() {
  echo "ct/python.sh: $*" >&2
  exit 1
}

main() {
  [ -n "${H1MOCK_BINARY:-}" ] || die "set H1MOCK_BINARY to a static program, such as" \
    "\`target/x86_64-unknown-linux-musl/release/h1mock\`"
  [ -f "$H1MOCK_BINARY" ] || die "failed to find the program \`$H1MOCK_BINARY\` (H1MOCK_BINARY)"
  command -v python3 >/dev/null || die "\`python3\` is needed: install Python 3.11 or later"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  python3 -m venv "$work/venv" || die "failed to make a virtual environment: install python3-venv"
  export PATH="$work/venv/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
  H1MOCK_WHEEL=$(python "$project/python/build.py" "$work/dist" "$H1MOCK_BINARY")
  export H1MOCK_WHEEL
  # The tests use the program in the wheel.
  unset H1MOCK_BINARY
  pip install --quiet -r "$project/python/tests/requirements.txt" "$H1MOCK_WHEEL"
  cd "$project/python"
  (cd "$work" && mypy --config-file "$project/python/pyproject.toml" --cache-dir "$work/mypy" -p h1mock)
  pytest -q -n 2 "$@"
}

main "$@"
