"""Provisioning by files: what kubectl cp and touch do, in the directory itself."""

import os
import shutil

import pytest
from conftest import RESOURCES

pytestmark = pytest.mark.directory


def test_a_copied_file_is_activated(directory, provision, resources, traffic, eventually):
    provision("other", resources("default"))
    shutil.copyfile(RESOURCES / "foo-bar", directory / "copied")
    response = eventually(lambda: traffic.get("app/v1/foo/bar"), lambda answer: answer.status_code == 200)
    assert response.json()["resultData"] == "answering a get"


def test_touch_activates_again(directory, provision, resources, traffic, eventually):
    provision("touched", resources("foo-bar"))
    provision("other", resources("default"))
    assert traffic.get("app/v1/foo/bar").status_code == 404
    os.utime(directory / "touched")
    eventually(lambda: traffic.get("app/v1/foo/bar"), lambda answer: answer.status_code == 200)


def test_a_renamed_file_is_activated(directory, provision, resources, traffic, eventually):
    provision("other", resources("default"))
    hidden = directory / ".incoming"
    shutil.copyfile(RESOURCES / "healthz", hidden)
    hidden.rename(directory / "moved")
    eventually(lambda: traffic.get("healthz"), lambda answer: answer.text == "I'm here!")


def test_a_broken_file_changes_nothing_and_is_reported(directory, provision, resources, admin, traffic, eventually):
    generation = provision("good", resources("foo-bar"))
    (directory / "wrong").write_text("fn registerRules( {\n}\n", encoding="utf-8")

    def entry(answer):
        files = {file["name"]: file for file in answer.json()["files"]}
        return files.get("wrong", {}).get("error")

    answer = eventually(lambda: admin.get("app/v1/provision"), entry)
    assert entry(answer)["line"] == 1
    assert answer.json()["active"]["generation"] == generation
    assert traffic.get("app/v1/foo/bar").status_code == 200
    (directory / "wrong").unlink()
