#!/usr/bin/env bash
# Checks docs/openapi.json against a running mock, with requests that schemathesis generates from it.
#
# SCHEMATHESIS and H1MOCK_BINARY name the programs. By default they are those of .ci/run.
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
command -v curl >/dev/null || die "curl is needed: .ci/tools curl installs it"

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
traffic=$(sed -n 's/.*mock 127\.0\.0\.1:\([0-9]*\),.*/\1/p' out)
admin=$(sed -n 's/.*admin 127\.0\.0\.1:\([0-9]*\).*/\1/p' out)

# Requests for the journal: without a rule, with a rule, with a binary body, with a stream, and refused by the server (no Host).
curl -sf -o loaded -H 'Content-Type: text/plain' --data-binary "@$project/provisions/foo-bar" \
  "http://127.0.0.1:$admin/app/v1/provision/foo-bar"
curl -sf -o loaded -H 'Content-Type: text/plain' "http://127.0.0.1:$admin/app/v1/provision/streams?overlay" \
  --data-binary 'fn registerRules() { app.get("/app/v1/foo/stream", || stream(["a", "b"])); }'
ask() {
  curl -s -o answer "http://127.0.0.1:$traffic/$1" "${@:2}"
}
ask app/v1/foo/baz
ask app/v1/foo/bar
ask app/v1/foo/stream
printf '\377' | ask app/v1/foo/bar --data-binary @-
ask app/v1/foo/bar -H Host:

runs=0
check() {
  runs=$((runs + 1))
  "$schemathesis" --config-file "$project/ct/schemathesis.toml" run "$project/docs/openapi.json" \
    --url "http://127.0.0.1:$admin" --checks all --max-examples 30 --seed 1 --request-timeout 20 \
    --report har --report-har-path "$work/run-$runs.har" "$@" || {
    status=$?
    tail -20 log >&2
    exit "$status"
  }
}

# Operations that read entries and stored provisions come first, since others delete both.
check --phases examples,coverage --include-operation-id-regex '^(listRequests|getRequest|exportRequests|activateProvision)$'
check "$@"

# With arguments, only a part of the operations may have been selected.
[ $# -gt 0 ] || "$project/ct/openapi_operations.py" "$work"/run-*.har
