#!/usr/bin/env python3
"""Runs the tests of the section "Assert from a test" of the README, which are snippets in several languages.

    ct/snippets.py [BINARY [LANGUAGE...]]

Without LANGUAGE it runs `js` and `python`; `.ci/nightly` runs `java` and `go`. ct/docs.py runs curl. Each snippet must pass, and must fail
if it expects one request more than comes.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

PROJECT = pathlib.Path(__file__).resolve().parents[1]
SECTION = "Assert from a test"
DEADLINE = 300

JAVA = """\
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.*;

class Snippet {
    static String send(String method, String url, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).method(method, BodyPublishers.ofString(body)).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    }

    public static void main(String[] arguments) throws Exception {
%s
    }
}
"""

GO = """\
package hello

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

func send(t *testing.T, method, url, body string) string {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHello(t *testing.T) {
	file, err := os.ReadFile("hello.rhai")
	if err != nil {
		t.Fatal(err)
	}
	hello := string(file)
%s
}
"""

# For each language: the name of the file, the text around the snippet, its indentation, the command.
LANGUAGES = {
    "js": ("snippet.mjs", 'import assert from "node:assert/strict";\nimport { readFile } from "node:fs/promises";\n\n%s', "", ["node", "snippet.mjs"]),
    "python": ("test_snippet.py", "import urllib.request\n\n\n%s", "", [sys.executable, "-m", "pytest", "-q", "-p", "h1mock.plugin", "test_snippet.py"]),
    "java": ("Snippet.java", JAVA, "        ", ["java", "-ea", "Snippet.java"]),
    "go": ("hello_test.go", GO, "\t", ["go", "test", "-count=1", "hello_test.go"]),
}


def section():
    """The section of the README."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"^## {SECTION}\n(.*?)^## ", text, re.M | re.S).group(1)


def snippet(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", section(), re.M | re.S)
    assert len(found) == 1, f"README.md, section {SECTION}: {len(found)} blocks of `{language}`, not 1"
    return found[0]


def provision():
    """The file `hello.rhai` of the README."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^\$ cat > hello\.rhai << 'EOF'\n(.*?)^EOF$", text, re.M | re.S).group(1)


def start(binary, folder):
    """Starts a server on free ports. Returns its process, and what replaces the addresses of the README."""
    process = subprocess.Popen([binary, "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0"], cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    traffic, admin = re.findall(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
    return process, {"localhost:8000": f"127.0.0.1:{traffic}", "localhost:8074": f"127.0.0.1:{admin}"}


def execute(language, text, addresses, folder, binary):
    """Runs a snippet as the test that it is."""
    name, around, indentation, command = LANGUAGES[language]
    for shown, real in addresses.items():
        text = text.replace(shown, real)
    (folder / name).write_text(around % textwrap.indent(text.rstrip("\n"), indentation) + "\n")
    environment = {**os.environ, "H1MOCK_BINARY": str(binary), "PYTHONPATH": str(PROJECT / "python/src"), "PYTHONDONTWRITEBYTECODE": "1",
                   "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOCACHE": str(folder / "cache")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE)


def check(language, addresses, folder, binary):
    text = snippet(language)
    done = execute(language, text, addresses, folder, binary)
    assert done.returncode == 0, f"the snippet in `{language}` fails:\n{done.stdout}{done.stderr}"
    more = re.sub(r"count=1\b", "count=2", text)
    assert more != text, f"the snippet in `{language}` expects no count"
    done = execute(language, more, addresses, folder, binary)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "1 request" in said, f"the snippet in `{language}` does not fail if a request is missing:\n{said}"
    print(f"{language}: the snippet of the README passes, and fails if a request is missing")


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else PROJECT / "target/debug/h1mock").resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-snippets-"))
    (folder / "hello.rhai").write_text(provision())
    process, addresses = start(binary, folder)
    try:
        for language in sys.argv[2:] or ["js", "python"]:
            check(language, addresses, folder, binary)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
