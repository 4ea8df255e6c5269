"""`kubectl logs`: what `podman logs` has, as it comes."""

import subprocess

CHUNK = 32 * 1024


def arguments(container, query):
    """The podman command for the query of a log request."""
    flags = []
    if query.get("follow") == ["true"]:
        flags.append("--follow")
    if query.get("timestamps") == ["true"]:
        flags.append("--timestamps")
    if "tailLines" in query:
        flags += ["--tail", query["tailLines"][0]]
    if "sinceSeconds" in query:
        flags += ["--since", query["sinceSeconds"][0] + "s"]
    return ["podman", "logs", *flags, container]


def send(container, query, writer):
    """Writes the log until it ends or the client has gone."""
    process = subprocess.Popen(arguments(container, query), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        while data := process.stdout.read1(CHUNK):
            writer.write(data)
            writer.flush()
    except OSError:
        pass
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
