#!/usr/bin/env bash
# Component test of provisioning by kubectl: deploys the chart, sends a request, copies a provision and sends a request again.
#
#   ct/ktest.sh              deploys with ./deploy.sh into NAMESPACE, and leaves it there
#   ct/ktest.sh --pod POD    tests an existing pod of NAMESPACE with the default provision `initial`
#
#   NAMESPACE   default: USER-test-h1mock
#   DEADLINE    most seconds of one step; default: 60
#
# The pod needs neither a shell nor curl: `h1mock get` sends the requests inside the pod.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
labels=app.kubernetes.io/name=h1mock,app.kubernetes.io/instance=h1mock
help='<a href="https://github.com/testillano/h1mock#how-it-works">help here for mock provisions</a>'

die() {
  echo "ct/ktest.sh: $*" >&2
  exit 1
}

misused() {
  echo "ct/ktest.sh: $*" >&2
  echo "ct/ktest.sh: use it as \`ct/ktest.sh\` or \`ct/ktest.sh --pod POD\`" >&2
  exit 2
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

kube() {
  timeout "$DEADLINE" kubectl --namespace "$NAMESPACE" "$@"
}

# Sends a GET of a path. Sets $body to the body of the answer and $notes to the messages of `h1mock get`.
ask() {
  notes=$(mktemp)
  body=$(kube exec "$pod" -c h1mock -- h1mock get "$1" 2>"$notes") || true
  notes=$(cat "$notes"; rm "$notes")
}

# assert WHAT VALUE EXPECTED
assert() {
  if [ "$2" != "$3" ]; then
    printf 'ct/ktest.sh: %s is not what was expected\n  expected: %s\n  received: %s\n  messages: %s\n' "$1" "$3" "$2" "$notes" >&2
    exit 1
  fi
  echo "[$1] $2 -> OK"
}

# `h1mock get` prints the status only if it is an error.
status() {
  case "$notes" in
    *"404 Not Found"*) echo "404 Not Found" ;;
    "") echo "200 OK" ;;
    *) echo "$notes" ;;
  esac
}

deploy() {
  "$project/deploy.sh" >/dev/null || die "failed to deploy the chart: run \`NAMESPACE=$NAMESPACE ./deploy.sh\` to see why"
  kube rollout status deployment/h1mock --timeout "${DEADLINE}s" >/dev/null || die "the deployment \`h1mock\` is not ready"
  pod=$(kube get pods -l "$labels" --no-headers | awk '$3 == "Running" && !found++ { print $1 }')
  [ -n "$pod" ] || die "no pod with the labels $labels runs in the namespace \`$NAMESPACE\`"
}

adopt() {
  kube wait --for=condition=ready "pod/$pod" --timeout "${DEADLINE}s" >/dev/null || die "the pod \`$pod\` is not ready"
  kube exec "$pod" -c h1mock -- touch provision/initial || die "failed to activate \`initial\`"
}

await_provision() {
  kube exec "$pod" -c h1mock -- h1mock wait --provision "$1" --timeout "${DEADLINE}s" || die "the provision \`$1\` does not serve"
}

test_default() {
  echo "Test 1) Any URI of the default provision"
  await_provision initial
  ask /any/path/
  assert StatusCode "$(status)" "404 Not Found"
  assert "HTML response" "$body" "$help"
}

test_copied() {
  echo "Test 2) The provision foo-bar, copied"
  kube cp "$project/provisions/foo-bar" "$pod:/app/provision" -c h1mock || die "failed to copy the provision \`foo-bar\`"
  await_provision foo-bar
  ask /app/v1/foo/bar
  assert StatusCode "$(status)" "200 OK"
  assert "JSON response" "$body" '{"resultCode":0,"resultData":"answering a get"}'
}

main() {
  export NAMESPACE=${NAMESPACE:-${USER:-$(id -un)}-test-h1mock} DEADLINE=${DEADLINE:-60}
  need kubectl "see https://kubernetes.io/docs/tasks/tools"
  need timeout "install coreutils"
  case "${1:-}" in
    "")
      need helm "see https://helm.sh/docs/intro/install"
      deploy
      ;;
    --pod)
      [ $# -eq 2 ] || misused "\`--pod\` needs the name of one pod"
      pod=$2
      adopt
      ;;
    *) misused "there is no option \`$1\`" ;;
  esac
  test_default
  test_copied
}

main "$@"
