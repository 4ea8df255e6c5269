#!/usr/bin/env bash
# Checks the Helm charts. Needs no cluster.
#
#   ct/charts.sh          runs lint, tests of rendered objects (ct/charts), the schemas of Kubernetes, and checks docs/values.md
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(dirname "$here")

die() {
  echo "ct/charts.sh: $*" >&2
  exit 1
}

check_tools() {
  command -v helm >/dev/null || die "\`helm\` is needed: .ci/tools kube puts it into .tools/bin, which must be on PATH"
  command -v python3 >/dev/null || die "\`python3\` is needed: install Python 3.9 or later"
  python3 -c 'import kubernetes_validate, yamllint, yaml' 2>/dev/null ||
    die "kubernetes-validate and yamllint are needed: .ci/tools python puts them into .venv-ci, whose bin must be first on PATH"
}

main() {
  check_tools
  cd "$project"
  helm lint --strict helm/h1mock
  python3 -m yamllint --strict -d '{rules: {key-duplicates: enable, trailing-spaces: enable}}' helm/*/values.yaml helm/*/Chart.yaml
  python3 ct/values.py --check
  python3 ct/charts
}

main "$@"
