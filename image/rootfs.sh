#!/bin/sh
# Builds the file system of the image: the binary, links with the names of its applets, the provision directory.
#
#   image/rootfs.sh BINARY FOLDER [MACHINE]
#
# BINARY must be static and built for MACHINE (x86_64 or aarch64; default: this machine). An image from scratch has no libraries,
# and the kernel's error for a dynamic binary would be `no such file or directory`.
# SOURCE_DATE_EPOCH sets the times of all files. The script is plain sh, since the Dockerfile runs it in Alpine; build.sh runs it
# for --prebuilt.
set -eu

# The commands that kubectl, docker and podman run in a container, and those that users of the original h1mock type.
APPLETS="tar test [ touch ls cat sh bash curl"

die() {
  echo "image/rootfs.sh: $*" >&2
  exit 1
}

refuse() {
  die "failed to take \`$binary\` for the image: $*"
}

# readelf's name for a machine.
machine_of_elf() {
  case "$1" in
    x86_64 | amd64) echo "Advanced Micro Devices X86-64" ;;
    aarch64 | arm64) echo "AArch64" ;;
    *) die "failed to lay the image for \`$1\`: the image is made for x86_64 and aarch64" ;;
  esac
}

check_binary() {
  command -v readelf >/dev/null || die "\`readelf\` is needed to see whether the binary is static: install binutils"
  [ -f "$binary" ] || refuse "no such file"
  header=$(LC_ALL=C readelf -hW "$binary" 2>/dev/null) || refuse "it is no program for Linux (no ELF file)"
  found=$(printf '%s\n' "$header" | sed -n 's/^ *Machine: *//p')
  wanted=$(machine_of_elf "$machine")
  [ "$found" = "$wanted" ] || refuse "it is made for \`$found\`, the image for \`$wanted\`"
  # A dynamic binary names a loader or libraries. ldd would report a position independent musl binary as dynamic.
  shared=$(LC_ALL=C readelf -ldW "$binary" | sed -n \
    -e 's/.*program interpreter: \(.*\)\]$/\1/p' -e 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | tr '\n' ' ')
  [ -z "$shared" ] || refuse "it is not static, it needs ${shared% };" \
    "build it for musl, or with RUSTFLAGS=\"-C target-feature=+crt-static\" and --target"
}

# Each mode is explicit, so that it does not depend on the umask of the build. All users may write provisions, since OpenShift
# runs containers with an arbitrary uid.
lay() {
  mkdir -p "$folder/bin" "$folder/app/provision"
  cp "$binary" "$folder/bin/h1mock"
  for applet in $APPLETS; do
    ln -sf h1mock "$folder/bin/$applet"
  done
  chmod 0755 "$folder" "$folder/bin" "$folder/bin/h1mock" "$folder/app"
  chmod 0777 "$folder/app/provision"
  [ -z "${SOURCE_DATE_EPOCH:-}" ] || find "$folder" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

main() {
  [ $# -eq 2 ] || [ $# -eq 3 ] || die "usage: image/rootfs.sh BINARY FOLDER [MACHINE]"
  binary=$1
  folder=$2
  machine=${3:-$(uname -m)}
  check_binary
  lay
}

main "$@"
