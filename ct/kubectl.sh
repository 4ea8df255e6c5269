#!/usr/bin/env bash
# Tests the image with the real kubectl, without a cluster: a small API server (ct/kubectl/apiserver) presents the mock in a podman
# container as its pod. Prints a table of the commands at the end.
#
#   ct/kubectl.sh [PYTEST ARGUMENTS]
#
#   H1MOCK_IMAGE   the image; default: testillano/h1mock with TAG (latest)
#   KUBECTL        the kubectl to test; default: the one on PATH
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
  # A name without a slash is searched on PATH. Another name becomes an absolute path, since kubectl runs in another folder.
  KUBECTL=$(realpath "$(command -v "$KUBECTL")")
  cd "$here/kubectl"
  "$project/.venv/bin/pytest" -p no:cacheprovider "$@"
}

main "$@"
