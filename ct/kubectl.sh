#!/usr/bin/env bash
# Drives the real kubectl against the real image, without a cluster: a small API server (ct/kubectl/apiserver) has the mock in a
# podman container as its pod. Ends with a table of what was run.
#
#   ct/kubectl.sh [PYTEST ARGUMENTS]
#
#   H1MOCK_IMAGE   the image; testillano/h1mock with TAG (latest) without it
#   KUBECTL        another kubectl than the one on PATH
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")

die() {
  echo "ct/kubectl.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

main() {
  export H1MOCK_IMAGE=${H1MOCK_IMAGE:-testillano/h1mock:${TAG:-latest}} KUBECTL=${KUBECTL:-kubectl}
  need podman "see https://podman.io, or run .ci/tools podman"
  need "$KUBECTL" "see https://kubernetes.io/docs/tasks/tools, or run .ci/tools kube and put .tools/bin on PATH"
  need helm "see https://helm.sh/docs/intro/install, or run .ci/tools kube and put .tools/bin on PATH"
  podman image exists "$H1MOCK_IMAGE" || die "podman has no image \`$H1MOCK_IMAGE\`: build it with ./build.sh --engine podman"
  "$here/environment.sh"
  # A name without a slash is looked for on PATH, another one must hold in the folder where kubectl runs.
  KUBECTL=$(realpath "$(command -v "$KUBECTL")")
  cd "$here/kubectl"
  "$project/.venv/bin/pytest" -p no:cacheprovider "$@"
}

main "$@"
