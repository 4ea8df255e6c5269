#!/bin/sh
# Lays the file system of the image: the binary, the links by which it is called, the provision directory.
#
#   image/rootfs.sh BINARY FOLDER [MACHINE]
#
# BINARY is refused unless it is static and made for MACHINE (x86_64 or aarch64; this one without it), because an image
# from scratch has no libraries and the error of the kernel would be `no such file or directory`.
# SOURCE_DATE_EPOCH sets the times of all files. Plain sh: the Dockerfile calls it in Alpine, build.sh for --prebuilt.
set -eu

# What kubectl, docker and podman call in a container, and what the users of the original type.
APPLETS="tar test [ touch ls cat sh bash curl"

die() {
  echo "image/rootfs.sh: $*" >&2
  exit 1
}

refuse() {
  die "failed to take \`$binary\` for the image: $*"
}

# The name that readelf has for a machine.
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
  # The loader of shared libraries, and the libraries; ldd would take a position independent musl binary for a dynamic one.
  shared=$(LC_ALL=C readelf -ldW "$binary" | sed -n \
    -e 's/.*program interpreter: \(.*\)\]$/\1/p' -e 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | tr '\n' ' ')
  [ -z "$shared" ] || refuse "it is not static, it needs ${shared% };" \
    "build it for musl, or with RUSTFLAGS=\"-C target-feature=+crt-static\" and --target"
}

# The modes are said for each: the umask of whoever builds must not decide them. Any user may write provisions, since
# OpenShift runs containers with a uid of its own.
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
