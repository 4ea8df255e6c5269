#!/usr/bin/env bash
# Checks docs/openapi.json against a running mock, with requests that schemathesis makes from it.
#
# SCHEMATHESIS and H1MOCK_BINARY name the programs; by default those that .ci/run makes.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
schemathesis=${SCHEMATHESIS:-$project/.venv-ci/bin/schemathesis}
binary=${H1MOCK_BINARY:-${CARGO_TARGET_DIR:-$project/target}/debug/h1mock}

die() {
  echo "ct/openapi.sh: $*" >&2
  exit 1
}

[ -x "$schemathesis" ] || die "schemathesis is needed: pip install schemathesis, and set SCHEMATHESIS"
[ -x "$binary" ] || die "h1mock is needed: cargo build"

work=$(mktemp -d)
trap 'kill "${mock:-}" 2>/dev/null || true; wait "${mock:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
"$binary" --bind 127.0.0.1 --traffic-port 0 --admin-port 0 --config-dir "$project/provisions" >out 2>log &
mock=$!
for _ in $(seq 200); do
  grep -q '^h1mock ' out && break
  kill -0 "$mock" 2>/dev/null || die "the mock did not start: $(cat log)"
  sleep 0.05
done
port=$(sed -n 's/.*admin 127\.0\.0\.1:\([0-9]*\).*/\1/p' out)
"$schemathesis" --config-file "$project/ct/schemathesis.toml" run "$project/docs/openapi.json" \
  --url "http://127.0.0.1:$port" --checks all --max-examples 30 --seed 1 --request-timeout 20 "$@" || {
  status=$?
  tail -20 log >&2
  exit "$status"
}
