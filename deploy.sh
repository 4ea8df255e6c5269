#!/usr/bin/env bash
# Installs the chart h1mock on the cluster that kubectl points to, in place of a release that is there already.
#
#   ./deploy.sh [arguments of helm install]
#
# NAMESPACE is where it goes: <user>-h1mock without it.
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

main() {
  need helm "see https://helm.sh/docs/intro/install"
  need kubectl "see https://kubernetes.io/docs/tasks/tools"

  if helm status h1mock -n "$NAMESPACE" &>/dev/null; then
    helm delete h1mock -n "$NAMESPACE" --wait
  fi
  kubectl get namespace "$NAMESPACE" &>/dev/null || kubectl create namespace "$NAMESPACE" ||
    die "failed to create namespace \`$NAMESPACE\`: see above"

  echo
  echo "Installing h1mock ..."
  echo
  helm install h1mock "$project/helm/h1mock" -n "$NAMESPACE" --wait "$@"
}

main "$@"
