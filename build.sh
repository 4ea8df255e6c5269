#!/usr/bin/env bash
# Builds the images testillano/h1mock:TAG and testillano/ct-h1mock:TAG. See `./build.sh --help`.
set -euo pipefail

project=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'EOF'
Usage: ./build.sh [OPTIONS] [TAG]

Builds the images testillano/h1mock:TAG (the mock) and testillano/ct-h1mock:TAG (its component tests).

  TAG                 tag of both images [default: latest] [variable: image_tag]
  --only NAME         build only one of them: h1mock or ct-h1mock
  --prebuilt FILE     the mock's program, built already and static; without it, the image compiles it from source
  --base-tag TAG      Alpine that ct-h1mock is built on [default: latest] [variable: base_tag]
  --platform NAME     linux/amd64 or linux/arm64; without it, that of this machine
  --engine NAME       docker or podman; without it, docker where its daemon answers, else podman
  -h, --help          print this text

The variable SOURCE_DATE_EPOCH sets the times of the files in the image (and with podman of the image), so that one program
gives one image.
EOF
}

die() {
  echo "build.sh: $*" >&2
  exit 1
}

misused() {
  echo "build.sh: $*" >&2
  echo "build.sh: \`./build.sh --help\` tells what there is" >&2
  exit 2
}

read_options() {
  tag=${image_tag:-latest} base=${base_tag:-latest} only='' prebuilt='' platform='' engine=''
  local tags=0
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help) usage; exit 0 ;;
      --only | --prebuilt | --base-tag | --platform | --engine)
        [ -n "${2:-}" ] || misused "\`$1\` needs a value"
        set_option "$1" "$2"
        shift 2
        ;;
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
      -*) misused "there is no option \`$1\`" ;;
      *)
        [ "$tags" -eq 0 ] || misused "one TAG is enough: \`$1\` is too much"
        tag=$1 tags=1
        shift
        ;;
    esac
  done
}

set_option() {
  case "$1=$2" in
    --only=h1mock | --only=ct-h1mock) only=$2 ;;
    --engine=docker | --engine=podman) engine=$2 ;;
    --platform=linux/amd64 | --platform=linux/arm64) platform=$2 ;;
    --prebuilt=*) prebuilt=$2 ;;
    --base-tag=*) base=$2 ;;
    *) misused "\`$1\` can't be \`$2\`" ;;
  esac
}

choose_engine() {
  if [ -z "$engine" ]; then
    if docker info >/dev/null 2>&1; then
      engine=docker
    elif command -v podman >/dev/null; then
      engine=podman
    else
      die "\`docker\` with a daemon, or \`podman\` is needed: see https://docs.docker.com/engine/install or https://podman.io"
    fi
  fi
  command -v "$engine" >/dev/null || die "\`$engine\` is not installed"
  [ "$engine" = podman ] || docker buildx version >/dev/null 2>&1 ||
    die "docker's BuildKit is needed: install docker-buildx-plugin"
}

# Values of the image labels: the version from Cargo.toml, and the revision from git if this is a git checkout.
describe() {
  version=$(sed -n '/^\[package\]/,/^\[[^p]/s/^version = "\(.*\)"/\1/p' "$project/Cargo.toml")
  revision=$(git -C "$project" rev-parse HEAD 2>/dev/null) || revision=unknown
}

# build NAME DOCKERFILE ARGUMENT...
build() {
  local name=$1 file=$2 command=(docker buildx build --load)
  shift 2
  # podman's default format has no healthcheck.
  [ "$engine" = docker ] || command=(podman build --format docker)
  [ -z "$platform" ] || command+=(--platform "$platform")
  if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
    case "$engine" in
      docker) command+=(--build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH") ;;
      podman) command+=(--timestamp "$SOURCE_DATE_EPOCH") ;;
    esac
  fi
  command+=(--build-arg "version=$version" --build-arg "revision=$revision" --file "$project/$file" --tag "testillano/$name:$tag")
  echo "== $name: ${command[*]} $* ."
  "${command[@]}" "$@" "$project" || die "failed to build the image \`testillano/$name:$tag\`: see what $engine says above"
}

build_mock() {
  local arguments=()
  if [ -n "$prebuilt" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    local machine=${platform#linux/}
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} "$project/image/rootfs.sh" "$prebuilt" "$work/rootfs" "${machine:-$(uname -m)}"
    arguments=(--build-context "build=$work")
  fi
  build h1mock Dockerfile ${arguments[@]+"${arguments[@]}"}
}

build_ct() {
  build ct-h1mock ct/Dockerfile --build-arg "base_tag=$base"
}

bytes() {
  awk -v bytes="$1" 'BEGIN { printf "%.2f MB (%d bytes)", bytes / 1000000, bytes }'
}

# Prints the unpacked sizes of the images.
report() {
  local name=$1 image="testillano/$1:$tag" program=''
  if [ "$name" = h1mock ]; then
    local container
    container=$("$engine" create --no-healthcheck ${platform:+--platform "$platform"} "$image")
    program=", the program $(bytes "$("$engine" cp "$container:/bin/h1mock" - | tar -xOf - | wc -c)")"
    "$engine" rm "$container" >/dev/null
  fi
  echo "$image: $(bytes "$("$engine" image inspect --format '{{.Size}}' "$image")")$program"
}

main() {
  read_options "$@"
  choose_engine
  describe
  [ "$only" = ct-h1mock ] || build_mock
  [ "$only" = h1mock ] || build_ct
  [ "$only" = ct-h1mock ] || report h1mock
  [ "$only" = h1mock ] || report ct-h1mock
}

main "$@"
