#!/usr/bin/env bash
# Component tests: pytest against a mock.
#
#   ct/test.sh --local            builds h1mock, starts it on free ports and tests it
#   ct/test.sh                    tests the mock that H1MOCK_SERVICE_HOST, H1MOCK_SERVICE_PORT_HTTP_ADMIN and
#                                 H1MOCK_SERVICE_PORT_HTTP_TRAFFIC name
#
# Further arguments go to pytest. H1MOCK_BINARY names a binary that is built already.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")

die() {
  echo "ct/test.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

# A virtual environment in the project, made anew when the requirements change.
make_environment() {
  need python3 "install Python 3.9 or later"
  local stamp="$project/.venv/requirements.txt"
  if ! cmp -s "$here/src/requirements.txt" "$stamp"; then
    python3 -m venv --clear "$project/.venv" || die "failed to make a virtual environment: install python3-venv"
    "$project/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/src/requirements.txt"
    cp "$here/src/requirements.txt" "$stamp"
  fi
}

build() {
  if [ -n "${H1MOCK_BINARY:-}" ]; then
    return
  fi
  need cargo "see https://rustup.rs"
  (cd "$project" && cargo build --quiet --locked)
  H1MOCK_BINARY=${CARGO_TARGET_DIR:-$project/target}/debug/h1mock
}

# Starts the mock on free ports, in a folder of its own; both go when the script ends.
start() {
  work=$(mktemp -d)
  trap 'kill "${mock:-}" 2>/dev/null || true; wait "${mock:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
  mkdir "$work/provision"
  "$H1MOCK_BINARY" --bind 127.0.0.1 --traffic-port 0 --admin-port 0 --provision-dir "$work/provision" \
    --config-dir "$project/provisions" >"$work/out" 2>"$work/log" &
  mock=$!
  for _ in $(seq 200); do
    grep -q '^h1mock ' "$work/out" && break
    kill -0 "$mock" 2>/dev/null || die "the mock did not start: $(cat "$work/log")"
    sleep 0.05
  done
  H1MOCK_SERVICE_HOST=127.0.0.1
  H1MOCK_SERVICE_PORT_HTTP_TRAFFIC=$(sed -n 's/.*mock 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out")
  H1MOCK_SERVICE_PORT_HTTP_ADMIN=$(sed -n 's/.*admin 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out")
  H1MOCK_PROVISION_DIR=$work/provision
  export H1MOCK_SERVICE_HOST H1MOCK_SERVICE_PORT_HTTP_TRAFFIC H1MOCK_SERVICE_PORT_HTTP_ADMIN H1MOCK_PROVISION_DIR
}

main() {
  if [ "${1:-}" = --local ]; then
    shift
    build
    start
  else
    : "${H1MOCK_SERVICE_HOST:?set it to the address of a mock, or call ct/test.sh --local}"
    : "${H1MOCK_SERVICE_PORT_HTTP_ADMIN:?set it to the admin port of the mock}"
    : "${H1MOCK_SERVICE_PORT_HTTP_TRAFFIC:?set it to the traffic port of the mock}"
  fi
  make_environment
  cd "$here/src"
  "$project/.venv/bin/pytest" -p no:cacheprovider "$@" || {
    status=$?
    [ -z "${work:-}" ] || cat "$work/log" >&2
    exit "$status"
  }
}

main "$@"
