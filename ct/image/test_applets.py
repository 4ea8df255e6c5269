"""What kubectl, docker, podman and people call in a container: links to the one program, under the strictest security."""

import io
import tarfile

import pytest
from conftest import answering
from podman import HARDENED, WRITABLE


@pytest.fixture
def mock(start):
    """With the provisions `initial` and `sent`, of which the latter is active."""
    mock = start(*HARDENED, WRITABLE)
    assert mock.post_provision("sent", answering("posted")).status == 201
    return mock


def test_ls_lists_the_provision_directory(mock):
    assert mock.exec("ls", "/app/provision") == ("initial\nsent\n", "")
    assert mock.exec("ls", "provision") == ("initial\nsent\n", "")
    lines = mock.exec("ls", "-la", "/app/provision")[0].splitlines()
    assert [line.split()[-1] for line in lines] == [".", "..", "initial", "sent"]
    assert lines[0].startswith("drwxrwxrwx ")


def test_ls_shows_the_links_of_the_image(mock):
    lines = mock.exec("ls", "-l", "/bin")[0].splitlines()
    links = [line.split(" -> ") for line in lines if line.startswith("l")]
    assert {target for _, target in links} == {"h1mock"}
    assert [start.split()[-1] for start, _ in links] == ["[", "bash", "cat", "curl", "ls", "sh", "tar", "test", "touch"]


def test_ls_of_a_missing_file_fails(mock):
    out, err = mock.exec("ls", "/nowhere", code=1)
    assert (out, "/nowhere" in err) == ("", True)


def test_cat_prints_a_provision(mock):
    assert mock.exec("cat", "/app/provision/sent") == (answering("posted"), "")


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        (["-d", "/app/provision"], 0),
        (["-d", "/app/provision/sent"], 1),
        (["-f", "/app/provision/sent"], 0),
        (["-e", "/app/provision/other"], 1),
    ],
)
def test_test_answers_by_its_exit_code(mock, expression, code):
    assert mock.exec("test", *expression, code=code) == ("", "")


TOUCHES = [
    ["touch", "provision/initial"],
    ["touch", "/app/provision/initial"],
    ["sh", "-c", "touch provision/initial"],
    ["bash", "-c", "touch /app/provision/initial"],
]


@pytest.mark.parametrize("command", TOUCHES, ids=" ".join)
def test_touch_activates_again(mock, command):
    assert mock.get("/a").text == "posted"
    mock.exec(*command)
    mock.exec("h1mock", "wait", "--timeout", "10", "--generation", "3")
    assert mock.ledger()["active"] == {"name": "initial", "generation": 3}
    assert mock.get("/a").status == 404


def test_tar_packs_what_kubectl_cp_fetches(mock):
    packed = mock.exec_bytes("tar", "cf", "-", "/app/provision/sent").stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        (member,) = files
        assert member.name.lstrip("/") == "app/provision/sent"
        assert files.extractfile(member).read().decode() == answering("posted")


def test_what_tar_packs_it_unpacks(mock):
    packed = mock.exec_bytes("tar", "cf", "-", "provision/initial").stdout
    mock.exec("tar", "-xmf", "-", "-C", "/app", data=packed)
    mock.exec("h1mock", "wait", "--timeout", "10", "--generation", "3")
    assert mock.ledger()["active"]["name"] == "initial"


def test_curl_asks_the_mock_and_the_admin_port(mock):
    assert mock.exec("curl", "-s", f"http://localhost:{mock.traffic}/a") == ("posted", "")
    line = f"curl -s http://127.0.0.1:{mock.admin}/app/v1/source/sent"
    assert mock.exec("sh", "-c", line) == (answering("posted"), "")


def test_h1mock_get_replaces_curl(mock):
    assert mock.exec("h1mock", "get", f"http://localhost:{mock.traffic}/a")[0] == "posted"


def test_probe_and_wait_find_the_ports_of_process_1(mock):
    assert mock.exec("h1mock", "probe") == ("", "")
    mock.exec("h1mock", "wait", "--timeout", "5", "--provision", "sent")


def test_there_is_no_shell_behind_sh(mock):
    out, err = mock.exec("sh", "-c", "ls /app/provision && cat provision/sent", code=2)
    assert out == ""
    assert err.startswith("sh: failed to run `ls /app/provision && cat provision/sent`: there is no shell in this image")


def test_there_are_no_other_programs(mock):
    # podman's own exit code for a command that is not there.
    mock.exec("grep", "x", "/app/provision/sent", code=127)
