#!/usr/bin/env bash
# Tests of the images, with podman: builds the image of the mock from a static program and runs it under the strictest security,
# provisions it in every way, measures it; runs the component tests from what their image would hold. Needs no registry.
#
#   H1MOCK_BINARY=FILE ct/image.sh            FILE is the mock's program, static
#
# Further arguments go to pytest. Figures (sizes, cold start, memory) are printed at the end. Where podman's own defaults don't
# work, inside of a container for instance, CONTAINERS_CONF=.ci/containers.conf may help.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")

die() {
  echo "ct/image.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

main() {
  [ -n "${H1MOCK_BINARY:-}" ] || die "set H1MOCK_BINARY to a static program, such as" \
    "\`target/x86_64-unknown-linux-musl/release/h1mock\`"
  [ -f "$H1MOCK_BINARY" ] || die "failed to find the program \`$H1MOCK_BINARY\` (H1MOCK_BINARY)"
  H1MOCK_BINARY=$(realpath "$H1MOCK_BINARY")
  export H1MOCK_BINARY
  need python3 "install Python 3.9 or later"
  need podman "install podman 4.3 or later"
  need readelf "install binutils"
  "$here/environment.sh"
  cd "$here/image"
  exec env PYTHONDONTWRITEBYTECODE=1 "$project/.venv/bin/pytest" -p no:cacheprovider "$@"
}

main "$@"
