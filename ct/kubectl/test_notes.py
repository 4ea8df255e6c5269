"""The notes that `helm install` shows: what they tell to type works."""

import json
import pathlib
import re
import subprocess

import pytest
from conftest import NAMESPACE
from session import Session, environment_of

CHART = pathlib.Path(__file__).resolve().parents[2] / "helm/h1mock"


@pytest.fixture
def session(kubectl, folder, tmp_path):
    session = Session(environment_of(kubectl, tmp_path), folder)
    yield session
    session.end()


def commands():
    """As for a release of the name that our pod's labels have."""
    install = ["helm", "install", "h1mock", CHART, "--namespace", NAMESPACE, "--dry-run=client"]
    shown = subprocess.run(install, capture_output=True, text=True, check=True).stdout
    return re.findall(r"^ +((?:kubectl|curl|[A-Z]+=).*)", shown.split("\nNOTES:\n")[1], re.M)


def test_the_notes(session, mock, pod):
    printed = {command: session.run(command) for command in commands()}
    assert session.environment["POD"] == pod
    answers = [answer.strip() for answer in printed.values()]
    assert '{"resultCode":0,"resultData":"answering a get"}' in answers
    ledgers = [json.loads(answer) for answer in answers if '"active"' in answer]
    assert len(ledgers) == 1, "the notes show how to read the ledger"
    results = [json.loads(answer)["result"] for answer in answers if answer.startswith('{"result":')]
    assert results == [f"success: basename file '{name}' has been loaded" for name in ("foo-bar", "initial")]
    # The last one asks the mock through its service; `initial` serves.
    assert answers[-1].startswith("<a href=")
