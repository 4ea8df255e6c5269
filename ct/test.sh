#!/usr/bin/env bash
# Component tests: runs pytest in a pod next to a mock, or on this machine. See `ct/test.sh --help`.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")

CHART=ct-h1mock
NAMESPACE=ns-$CHART

usage() {
  cat <<EOF
Usage: ct/test.sh [--local] [-h|--help] [pytest options]

  ct/test.sh            deploys the chart $CHART in namespace $NAMESPACE and runs pytest in its pod
  ct/test.sh --local    builds h1mock, starts it on free ports and tests it; no cluster is needed

Variables for the cluster:

  XTRA_HELM_SETS   further setters for helm, which win over what this script sets
  SKIP_HELM_DEPS   not empty: leaves the chart's dependencies as they are
  TAG              tag of the images h1mock and ct-h1mock (latest)
  REUSE            not empty: keeps what is deployed, or updates it if TAG or XTRA_HELM_SETS are given;
                   otherwise it is deleted first
  NO_TEST          not empty: deploys only

Variables without a cluster:

  H1MOCK_BINARY    with --local: a binary that is built already
  H1MOCK_SERVICE_HOST, H1MOCK_SERVICE_PORT_HTTP_ADMIN, H1MOCK_SERVICE_PORT_HTTP_TRAFFIC
                   a running mock, which is tested from here

Examples:

  XTRA_HELM_SETS="--set h1mock.service.verbosity.enabled=false" ct/test.sh
  TAG=test1 ct/test.sh
  REUSE=true ct/test.sh -k healthz
EOF
}

die() {
  echo "ct/test.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

build() {
  if [ -n "${H1MOCK_BINARY:-}" ]; then
    return
  fi
  need cargo "see https://rustup.rs"
  (cd "$project" && cargo build --quiet --locked)
  H1MOCK_BINARY=${CARGO_TARGET_DIR:-$project/target}/debug/h1mock
}

# Starts the mock on free ports, in a temporary folder. At its end the script stops the mock and removes the folder.
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

# `helm delete --wait` does not wait for pods, and a pod that drains would answer the first requests to the next release. Pods that
# have ended, such as the pod of `helm test`, may stay. Older versions of kubectl fail if no pod is left.
await_end_of_pods() {
  local said
  said=$(kubectl wait --for=delete pod -n "$NAMESPACE" -l app.kubernetes.io/instance="$CHART" --field-selector=status.phase=Running \
    --timeout=5m 2>&1) || case "$said" in
    *"no matching resources found"*) ;;
    *) die "failed to wait for the end of the pods of release \`$CHART\` in namespace \`$NAMESPACE\`: $said" ;;
  esac
}

# Deletes the release and its objects, so that their names are free again.
clean_up() {
  if helm status "$CHART" -n "$NAMESPACE" &>/dev/null; then
    echo "Cleaning up ..."
    helm delete "$CHART" -n "$NAMESPACE" --wait
    await_end_of_pods
  fi
}

update_dependencies() {
  if [ -n "${SKIP_HELM_DEPS:-}" ]; then
    echo "Chart dependencies: skipped"
  else
    echo "Updating chart dependencies ..."
    helm dependency update "$project/helm/$CHART" >/dev/null
  fi
}

# $1: tag of the images, empty to keep them; $2...: `install`, or `upgrade` with its options
helm_release() {
  local tag=$1 sets=() tags=()
  shift
  read -r -a sets <<<"${XTRA_HELM_SETS:-}"
  if [ -n "$tag" ]; then
    # The tags go into a file of values, since helm applies --set-string after --set in any order.
    tags=(--values -)
  fi
  update_dependencies
  helm "$@" "$CHART" "$project/helm/$CHART" -n "$NAMESPACE" --wait ${tags[@]+"${tags[@]}"} ${sets[@]+"${sets[@]}"} <<EOF
test: { image: { tag: "$tag" } }
h1mock: { image: { tag: "$tag" } }
EOF
}

deployed() {
  helm list -q --deployed -n "$NAMESPACE" | grep -qx "$CHART"
}

deploy() {
  if [ -n "${REUSE:-}" ] && deployed; then
    if [ -n "${TAG:-}${XTRA_HELM_SETS:-}" ]; then
      echo "Updating the deployment ..."
      helm_release "${TAG:-}" upgrade --reset-then-reuse-values
    else
      echo "Reusing the deployment"
    fi
    return
  fi
  clean_up
  kubectl get namespace "$NAMESPACE" &>/dev/null || kubectl create namespace "$NAMESPACE" ||
    die "failed to create namespace \`$NAMESPACE\`: see above"
  echo "Deploying the chart ..."
  helm_release "${TAG:-latest}" install
}

# A pod that is being deleted still has the phase Running. Only the table shows `Terminating`.
test_pod() {
  kubectl get pod -n "$NAMESPACE" -l "app.kubernetes.io/name=$CHART,app.kubernetes.io/instance=$CHART" --no-headers |
    awk '$3 == "Running" && !found++ { print $1 }'
}

test_in_cluster() {
  need helm "see https://helm.sh/docs/intro/install"
  need kubectl "see https://kubernetes.io/docs/tasks/tools"
  deploy
  if [ -n "${NO_TEST:-}" ]; then
    echo "Tests skipped"
    return
  fi
  local pod terminal=()
  pod=$(test_pod)
  [ -n "$pod" ] || die "no pod of \`$CHART\` runs in namespace \`$NAMESPACE\`: see kubectl get pod -n $NAMESPACE"
  if [ -t 0 ] && [ -t 1 ]; then
    terminal=(-t)
  fi
  kubectl exec -i ${terminal[@]+"${terminal[@]}"} "$pod" -c test -n "$NAMESPACE" -- pytest "$@"
}

test_from_here() {
  "$here/environment.sh"
  cd "$here/src"
  "$project/.venv/bin/pytest" -p no:cacheprovider "$@" || {
    status=$?
    [ -z "${work:-}" ] || cat "$work/log" >&2
    exit "$status"
  }
}

main() {
  case "${1:-}" in
    -h | --help)
      usage
      ;;
    --local)
      shift
      build
      start
      test_from_here "$@"
      ;;
    *)
      if [ -z "${H1MOCK_SERVICE_HOST:-}" ]; then
        test_in_cluster "$@"
        return
      fi
      : "${H1MOCK_SERVICE_PORT_HTTP_ADMIN:?set it to the admin port of the mock}"
      : "${H1MOCK_SERVICE_PORT_HTTP_TRAFFIC:?set it to the traffic port of the mock}"
      test_from_here "$@"
      ;;
  esac
}

main "$@"
