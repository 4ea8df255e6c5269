#!/usr/bin/env bash
# Runs the example of Testcontainers for Python (ct/testcontainers) against the socket of podman. Needs no registry.
#
#   H1MOCK_IMAGE=NAME ct/testcontainers.sh            NAME is a local image of the mock
#
# `.ci/tools python podman` installs pytest, Testcontainers and podman. Further arguments go to pytest.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
# Seconds for podman to make its socket.
deadline=20

die() {
  echo "ct/testcontainers.sh: $*" >&2
  exit 1
}

main() {
  [ -n "${H1MOCK_IMAGE:-}" ] || die "set H1MOCK_IMAGE to a local image, such as \`localhost/testillano/h1mock:latest\`"
  command -v podman >/dev/null || die "\`podman\` is needed: install podman 4.3 or later"
  podman image exists "$H1MOCK_IMAGE" || die "there is no local image \`$H1MOCK_IMAGE\`: make it with \`./build.sh --engine podman\`"
  work=$(mktemp -d)
  # Without systemd, podman logs that it does not run health checks.
  podman system service --time=0 "unix://$work/podman.sock" 2>"$work/log" &
  service=$!
  trap 'kill "$service"; rm -rf "$work"' EXIT
  timeout "$deadline" bash -c "until [ -S '$work/podman.sock' ]; do sleep 0.05; done" || die "podman makes no socket within $deadline s"
  export DOCKER_HOST=unix://$work/podman.sock
  # Ryuk, which removes containers of tests that were killed, is an image of a registry.
  export TESTCONTAINERS_RYUK_DISABLED=true
  # The ports are published on this machine, also where it is a container itself.
  export TESTCONTAINERS_CONNECTION_MODE=docker_host TESTCONTAINERS_HOST_OVERRIDE=localhost
  cd "$project/ct/testcontainers"
  PYTHONDONTWRITEBYTECODE=1 pytest -q -p no:cacheprovider "$@" || {
    status=$?
    cat "$work/log" >&2
    exit "$status"
  }
}

main "$@"
