#!/usr/bin/env bash
# Tests the images with podman. Builds the mock's image from a static program, runs it with strict security settings, provisions it
# in every way and measures it. Runs the component tests from the files of their image. Needs no registry.
#
#   H1MOCK_BINARY=FILE ct/image.sh            FILE is the static program of the mock
#
# Further arguments go to pytest. Sizes, cold start and memory are printed at the end. If podman's defaults fail, for instance
# inside a container, set CONTAINERS_CONF=.ci/containers.conf.
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
