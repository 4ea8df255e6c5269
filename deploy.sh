#!/usr/bin/env bash
# Installs the chart h1mock on the current cluster of kubectl. An existing release is replaced.
#
#   ./deploy.sh [arguments of helm install]
#
# NAMESPACE is the namespace (default: <user>-h1mock).
set -euo pipefail

project=$(cd "$(dirname "$0")" && pwd)
NAMESPACE=${NAMESPACE:-${USER:-$(id -un)}-h1mock}

die() {
  echo "deploy.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

# `helm delete --wait` does not wait for pods, and a pod that drains would answer the first requests to the next release. Pods that
# have ended, such as the pod of `helm test`, may stay. Older versions of kubectl fail if no pod is left.
await_end_of_pods() {
  local said
  said=$(kubectl wait --for=delete pod -n "$NAMESPACE" -l app.kubernetes.io/instance=h1mock --field-selector=status.phase=Running \
    --timeout=5m 2>&1) || case "$said" in
    *"no matching resources found"*) ;;
    *) die "failed to wait for the end of the pods of release \`h1mock\` in namespace \`$NAMESPACE\`: $said" ;;
  esac
}

main() {
  need helm "see https://helm.sh/docs/intro/install"
  need kubectl "see https://kubernetes.io/docs/tasks/tools"

  if helm status h1mock -n "$NAMESPACE" &>/dev/null; then
    helm delete h1mock -n "$NAMESPACE" --wait
    await_end_of_pods
  fi
  kubectl get namespace "$NAMESPACE" &>/dev/null || kubectl create namespace "$NAMESPACE" ||
    die "failed to create namespace \`$NAMESPACE\`: see above"

  echo
  echo "Installing h1mock ..."
  echo
  helm install h1mock "$project/helm/h1mock" -n "$NAMESPACE" --wait "$@"
}

main "$@"
