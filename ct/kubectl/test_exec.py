"""kubectl exec of all that the image has, and what kubectl makes of streams and exit codes."""

import concurrent.futures
import json
import os
import subprocess

import pytest
from client import DEADLINE
from conftest import PROVISIONS

HELP = '<a href="https://github.com/testillano/h1mock#how-it-works">help here for mock provisions</a>'


@pytest.fixture(scope="module", autouse=True)
def stored(container, mock):
    """A folder with known files, and the built-in provision as the one that serves."""
    shelf = container.provisions / "known"
    shelf.mkdir()
    shelf.chmod(0o777)
    (shelf / "one.json").write_text("1\n")
    (shelf / "two.json").write_text("2\n")
    (shelf / ".hidden").write_text("")


@pytest.fixture
def default(mock):
    mock.post("default", (PROVISIONS / "default").read_text())


@pytest.mark.parametrize("command, output", [
    (["ls", "provision/known"], "one.json\ntwo.json\n"),
    (["ls", "/app/provision/known"], "one.json\ntwo.json\n"),
    (["ls", "-A", "provision/known"], ".hidden\none.json\ntwo.json\n"),
    (["ls", "/app"], "provision\n"),
    (["cat", "provision/known/one.json"], "1\n"),
    (["cat", "provision/known/one.json", "provision/known/two.json"], "1\n2\n"),
    (["test", "-d", "/app/provision"], ""),
    (["test", "-f", "provision/known/one.json"], ""),
    (["test", "-e", "/app"], ""),
    (["touch", "provision/touched.json"], ""),
    (["sh", "-c", "ls provision/known"], "one.json\ntwo.json\n"),
    (["bash", "-c", "ls provision/known"], "one.json\ntwo.json\n"),
    (["/bin/sh", "-c", "cat 'provision/known/two.json'"], "2\n"),
    (["h1mock", "probe"], ""),
    (["h1mock", "--version"], "h1mock 1.0.0\n"),
])
def test_what_succeeds(kubectl, pod, command, output):
    run = kubectl(command[0], "exec", pod, "--", *command)
    assert run.text == output
    run.succeeded(output.strip() or "ok")


def no_shell(name, what):
    return (f"{name}: {what}: there is no shell in this image; run one of h1mock, tar, test, touch, ls, cat, curl directly, e.g. "
            "`kubectl exec POD -- ls /app/provision`")


@pytest.mark.parametrize("command, code, message", [
    (["test", "-d", "/nowhere"], 1, ""),
    (["test", "-f", "/app"], 1, ""),
    (["test", "-q", "/app"], 2, "test: failed to understand `-q /app`: `test` takes -d, -e, -f, "),
    (["ls", "/nowhere"], 1, "ls: failed to list `/nowhere`: no such file or directory"),
    (["ls", "--color"], 2, "ls: unknown option `--color`: this applet takes `-1`, `-A`, `-a`, `-l`"),
    (["cat", "/nowhere"], 1, "cat: failed to read `/nowhere`: no such file or directory"),
    (["touch", "/config/initial"], 1, "touch: failed to touch `/config/initial`: read-only file system"),
    (["touch"], 2, "touch: missing argument: `touch [-c] FILE...`"),
    (["tar", "xf", "-", "-C", "/nowhere"], 1, "tar: failed to open folder `/nowhere`: no such file or directory"),
    (["tar", "--list-everything"], 2, "tar: unknown option `--list-everything`: this tar takes "),
    (["sh", "-c", "ls /app | sort"], 2, no_shell("sh", "failed to run `ls /app | sort`")),
    (["sh", "-c", "ls $HOME"], 2, no_shell("sh", "failed to run `ls $HOME`")),
    (["bash"], 2, no_shell("bash", "failed to start a shell")),
    (["curl"], 2, "curl: missing argument: `curl [OPTIONS] URL`"),
    (["h1mock", "prob"], 2, "h1mock: unknown command `prob`: did you mean `probe`?"),
    (["h1mock", "wait", "--generation", "999999", "--timeout", "100ms"], 1,
     "h1mock: failed to wait for generation 999999 within 100ms: 408 Request Timeout: "),
    (["h1mock", "get", ":8074/nowhere"], 1, "h1mock: failed to get `http://127.0.0.1:8074/nowhere`: 404 Not Found"),
])
def test_what_fails(kubectl, pod, command, code, message):
    run = kubectl(command[0], "exec", pod, "--", *command)
    run.failed(code, message, f"command terminated with exit code {code}\n", result=None if message else "false")


def test_what_is_not_in_the_image(kubectl, pod):
    kubectl("a program that the image has not", "exec", pod, "--", "vim").failed(127, result="not found")


@pytest.mark.parametrize("command", [
    ["h1mock", "get", "/any/path/"], ["h1mock", "get", ":8000/any/path/"], ["curl", "http://0.0.0.0:8000/any/path/"],
    ["sh", "-c", "curl -XGET http://0.0.0.0:8000/any/path/"],
])
def test_the_mock_is_asked(kubectl, pod, default, command):
    run = kubectl("ask the mock", "exec", pod, "--", *command)
    assert run.text == HELP
    run.row.result = "404 and the link to help"
    # As curl, which does not mind: the answer has come.
    assert run.code == (0 if command[0] != "h1mock" else 1)


def test_curl_says_more_with_v(kubectl, pod, default):
    run = kubectl("the original's question", "exec", pod, "--", "sh", "-c", "curl -XGET -v http://0.0.0.0:8000/any/path/")
    assert run.text == HELP
    assert "< HTTP/1.1 404 Not Found" in run.stderr
    run.succeeded("404 Not Found, and the link to help")


def test_curl_provisions(kubectl, pod, mock):
    source = 'fn registerRules() { app.get("/curl", f); } fn f() { "by curl" }'
    run = kubectl("POST by curl", "exec", pod, "--", "curl", "-s", "-H", "Content-Type: text/plain", "--data-binary", source,
                  "http://localhost:8074/app/v1/provision/curl")
    assert json.loads(run.text)["generation"] == mock.generation()
    assert mock.get("/curl") == (200, "by curl")
    run.succeeded("serves")


def test_tar_lists_and_packs(kubectl, pod, folder):
    run = kubectl("pack", "exec", pod, "--", "tar", "cf", "-", "-C", "provision", "known")
    run.succeeded(f"{len(run.stdout)} bytes")
    listed = subprocess.run(["tar", "tf", "-"], input=run.stdout, capture_output=True, check=True).stdout.decode()
    assert sorted(listed.split()) == ["known/", "known/.hidden", "known/one.json", "known/two.json"]
    run = kubectl("list", "exec", "-i", pod, "--", "tar", "tf", "-", stdin=run.stdout)
    assert sorted(run.text.split()) == ["known/", "known/.hidden", "known/one.json", "known/two.json"]
    run.succeeded("4 names")


def test_an_archive_that_leaves_the_folder_is_refused(kubectl, pod, container, folder):
    (folder / "outside").write_text("x")
    archive = subprocess.run(["tar", "cPf", "-", "--transform", "s,^,../,", "outside"], cwd=folder, capture_output=True, check=True).stdout
    run = kubectl("unpack what leaves the folder", "exec", "-i", pod, "--", "tar", "xmf", "-", "-C", "provision/known", stdin=archive)
    assert not (container.provisions / "outside").exists()
    run.failed(1, "tar: ", "../outside")


def test_input_ends_where_ours_ends(kubectl, pod):
    data = os.urandom(3_000_000)
    run = kubectl("3 MB in and out", "exec", "-i", pod, "--", "cat", stdin=data)
    assert run.stdout == data
    run.succeeded("the bytes are equal")


def test_output_comes_before_input_ends(kubectl, pod):
    with kubectl.running("a line in, a line out", "exec", "-i", pod, "--", "cat", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as (process, row):
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        row.code = process.wait()
    assert row.code == 0
    row.result = "each line comes at once"


def test_a_command_may_end_before_its_input(kubectl, pod):
    with open("/dev/zero", "rb") as endless, \
            kubectl.running("input without end", "exec", "-i", pod, "--", "test", "-d", "/nowhere", stdin=endless,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as (process, row):
        row.code = process.wait(DEADLINE)
    assert row.code == 1
    row.result = "ends"


def test_executions_do_not_disturb_each_other(kubectl, pod):
    texts = [os.urandom(200_000) for _ in range(6)]

    def echo(text):
        return kubectl("one of six at a time", "exec", "-i", pod, "--", "cat", stdin=text)

    with concurrent.futures.ThreadPoolExecutor(len(texts)) as pool:
        runs = list(pool.map(echo, texts))
    for run, text in zip(runs, texts):
        assert run.stdout == text
        run.succeeded("the bytes are equal")


@pytest.mark.parametrize("what, command, output", [
    ("the original's ls", ["sh", "-c", "ls /app/provision/known"], "one.json\r\ntwo.json\r\n"),
    ("an applet", ["cat", "provision/known/one.json"], "1\r\n"),
])
def test_at_a_terminal(kubectl, pod, what, command, output):
    run = kubectl.at_a_terminal(f"{what}, at a terminal", "exec", "-it", pod, "--", *command)
    assert output in run.text
    run.succeeded()


def test_it_without_a_terminal(kubectl, pod, default):
    """What the original's scripts do: -it, and the output goes to a file."""
    run = kubectl("-it without a terminal", "exec", "-it", pod, "--", "sh", "-c", "curl -XGET -v http://0.0.0.0:8000/any/path/")
    assert HELP in run.text
    run.succeeded("404 and the link to help")


def test_a_failure_at_a_terminal(kubectl, pod):
    run = kubectl.at_a_terminal("no shell, at a terminal", "exec", "-it", pod, "--", "bash")
    assert "there is no shell in this image" in run.text
    assert run.code == 2
    run.row.result = "says that there is no shell"
