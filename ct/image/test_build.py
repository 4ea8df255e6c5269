"""build.sh: what it refuses, and which engine it calls how."""

import os
import platform
import subprocess
import sys

import pytest
from podman import PROJECT, build

MACHINE = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(platform.machine())
OTHER = {"linux/amd64": "linux/arm64", "linux/arm64": "linux/amd64"}.get(MACHINE)
ELF = {"linux/amd64": "Advanced Micro Devices X86-64", "linux/arm64": "AArch64"}


def refusal(*arguments):
    built = build("h1m-image-refused", *arguments)
    assert built.returncode == 1, built.stdout + built.stderr
    return built.stderr.strip()


def test_a_dynamic_program_is_refused():
    program = os.path.realpath(sys.executable)
    said = refusal(f"--prebuilt={program}")
    assert said.startswith(f"image/rootfs.sh: failed to take `{program}` for the image: it is not static, it needs /lib")
    assert ".so" in said
    assert said.endswith('; build it for musl, or with RUSTFLAGS="-C target-feature=+crt-static" and --target')


def test_a_program_for_another_machine_is_refused(binary):
    said = refusal(f"--prebuilt={binary}", f"--platform={OTHER}")
    assert said == (
        f"image/rootfs.sh: failed to take `{binary}` for the image: "
        f"it is made for `{ELF[MACHINE]}`, the image for `{ELF[OTHER]}`"
    )


def test_a_script_is_refused():
    script = PROJECT / "build.sh"
    said = refusal(f"--prebuilt={script}")
    assert said == f"image/rootfs.sh: failed to take `{script}` for the image: it is no program for Linux (no ELF file)"


def test_a_missing_program_is_refused():
    said = refusal("--prebuilt=nowhere/h1mock")
    assert said == "image/rootfs.sh: failed to take `nowhere/h1mock` for the image: no such file"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only=mock"], "`--only` can't be `mock`"),
        (["--engine", "buildah"], "`--engine` can't be `buildah`"),
        (["--platform=linux/s390x"], "`--platform` can't be `linux/s390x`"),
        (["--prebuild=x"], "there is no option `--prebuild`"),
        (["one", "two"], "one TAG is enough: `two` is too much"),
        (["--prebuilt"], "`--prebuilt` needs a value"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, said):
    done = subprocess.run([PROJECT / "build.sh", *arguments], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"build.sh: {said}\nbuild.sh: `./build.sh --help` tells what there is\n"


def test_help_names_every_option():
    done = subprocess.run([PROJECT / "build.sh", "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    for option in ("TAG", "--only", "--prebuilt", "--base-tag", "--platform", "--engine", "image_tag", "base_tag"):
        assert option in done.stdout


# Stands for docker, which can't run everywhere: notes how it is called. Its daemon answers unless DAEMON=no.
DOCKER = """#!/bin/sh
[ "$1" != info ] || [ "$DAEMON" != no ] || exit 1
echo "docker $*" >> "$CALLS"
case "$1 $2" in
  "image inspect") echo 5000000 ;;
  "create "*) echo container ;;
  "cp "*) exec tar cf - -C / etc/hostname ;;
esac
"""


@pytest.fixture
def calls(tmp_path):
    """Runs build.sh with a docker that only takes notes; gives them."""
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text(DOCKER)
    tool.chmod(0o755)
    notes = tmp_path / "calls"

    def run(*arguments, **variables):
        environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}", "CALLS": str(notes), **variables}
        command = [PROJECT / "build.sh", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line for line in notes.read_text().splitlines() if " build " in line]

    return run


def test_docker_builds_both_images_from_source(calls):
    mock, ct = calls()
    for line in (mock, ct):
        assert line.startswith("docker buildx build --load --build-arg version=")
        assert line.endswith(f" {PROJECT}")
    assert f"--file {PROJECT}/Dockerfile --tag testillano/h1mock:latest" in mock
    assert "--build-context" not in mock
    assert f"--file {PROJECT}/ct/Dockerfile --tag testillano/ct-h1mock:latest --build-arg base_tag=latest" in ct


def test_the_answers_to_the_questions_of_the_original_are_variables(calls):
    mock, ct = calls(image_tag="1.2.3", base_tag="3.22")
    assert "--tag testillano/h1mock:1.2.3" in mock
    assert "--tag testillano/ct-h1mock:1.2.3 --build-arg base_tag=3.22" in ct


def test_options_beat_variables(calls):
    (ct,) = calls("--only", "ct-h1mock", "--base-tag", "3.20", "mine", image_tag="1.2.3", base_tag="3.22")
    assert "--tag testillano/ct-h1mock:mine --build-arg base_tag=3.20" in ct


def test_docker_gets_the_prebuilt_program_in_place_of_the_stage(calls, binary):
    (mock,) = calls("--only=h1mock", f"--prebuilt={binary}", f"--platform={MACHINE}", SOURCE_DATE_EPOCH="1")
    assert "--build-context build=/" in mock
    assert f"--platform {MACHINE} --build-arg SOURCE_DATE_EPOCH=1" in mock
