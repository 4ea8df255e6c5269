#!/usr/bin/env bash
# Adds the charts of this project to a repository of charts that is a branch of a git repository (GitHub Pages).
#
#   .github/charts.sh VERSION TAG GIT_URL PAGES_URL
#
#   VERSION     of the charts
#   TAG         of the images that they run where nothing else is set
#   GIT_URL     of the git repository; its branch gh-pages is what GitHub serves
#   PAGES_URL   where it serves it
#
# A version that is there already is refused: what users have installed must not change.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)

die() {
  echo ".github/charts.sh: $*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "\`$1\` is needed: $2"
}

package() {
  local chart
  for chart in "$project"/helm/*/Chart.yaml; do
    chart=$(dirname "$chart")
    helm package "$chart" --version "$version" --app-version "$tag" --dependency-update --destination "$work/new" >/dev/null ||
      die "failed to package the chart \`$(basename "$chart")\`"
  done
}

add() {
  local file
  for file in "$work"/new/*.tgz; do
    [ ! -e "$work/pages/$(basename "$file")" ] || die "\`$(basename "$file")\` is published already: choose another version"
    cp "$file" "$work/pages"
  done
}

index() {
  local merge=()
  [ ! -e "$work/pages/index.yaml" ] || merge=(--merge "$work/pages/index.yaml")
  # Of the new files only: those that are there keep the times that the index has for them.
  helm repo index "$work/new" --url "$pages" ${merge[@]+"${merge[@]}"}
  cp "$work/new/index.yaml" "$work/pages"
}

main() {
  [ $# -eq 4 ] || die "four arguments are needed: VERSION TAG GIT_URL PAGES_URL"
  version=$1 tag=$2 pages=$4
  local url=$3
  need helm "see https://helm.sh/docs/intro/install"
  need git "install git"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/new"
  package
  git clone --quiet --depth 1 --branch gh-pages "$url" "$work/pages" || die "failed to clone the branch \`gh-pages\`"
  add
  index
  cd "$work/pages"
  git add --all
  git commit --quiet --message "Charts of h1mock $version"
  git push --quiet origin gh-pages || die "failed to push the branch \`gh-pages\`"
  echo "published: $(cd "$work/new" && echo ./*.tgz)"
}

main "$@"
