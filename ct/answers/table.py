"""The form of the tables: groups of views in Python and in Rhai, and cases that send a request to both."""

import re
from dataclasses import dataclass, field

HOST = "mock.example:8000"


@dataclass
class View:
    """One rule: the body of its function in Python, and in Rhai."""

    rule: str
    python: str
    rhai: str
    methods: list[str]

    @property
    def variables(self) -> list[str]:
        return re.findall(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", self.rule)


@dataclass
class Case:
    """A request, and the parts of the answer that are compared."""

    name: str
    request: str
    headers: list[str | bytes]
    body: bytes
    compare: list[str]
    # The reason why h1mock answers otherwise than Flask on purpose.
    differs: str | None

    def raw(self, remembered: dict[str, str]) -> bytes:
        """Returns the bytes of the request. `{ETag}` in a header is that of an earlier answer."""
        lines = [line if isinstance(line, bytes) else line.encode() for line in self.headers]
        for name, value in remembered.items():
            lines = [line.replace(b"{%s}" % name.encode(), value.encode()) for line in lines]
        names = [line.partition(b":")[0].lower() for line in lines]
        if b"host" not in names:
            lines.insert(0, f"Host: {HOST}".encode())
        if self.body and b"content-length" not in names:
            lines.append(b"Content-Length: %d" % len(self.body))
        head = self.request.encode("latin-1") + b" HTTP/1.1\r\n"
        return head + b"".join(line + b"\r\n" for line in lines) + b"Connection: close\r\n\r\n" + self.body


@dataclass
class Group:
    """Views and cases that one application answers."""

    title: str
    # Lines of Flask's module behind `app = Flask(...)`, and of `registerRules()`.
    python: str = ""
    rhai: str = ""
    # Functions of the provision.
    functions: str = ""
    flags: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    def view(self, rule: str, *, python: str, rhai: str, methods: str = "GET") -> None:
        self.views.append(View(rule, python, rhai, methods.split()))

    def case(self, name, request, headers=(), *, body=b"", compare="status body", differs=None) -> None:
        body = body if isinstance(body, bytes) else body.encode()
        self.cases.append(Case(name, request, list(headers), body, compare.split(), differs))

    def application(self) -> str:
        """Returns the text of the module that makes the Flask application."""
        lines = [self.python]
        for number, view in enumerate(self.views):
            body = "\n".join("    " + line for line in view.python.splitlines())
            lines.append(f"@app.route({view.rule!r}, endpoint='v{number}', methods={view.methods!r})")
            lines.append(f"def v{number}({', '.join(view.variables)}):\n{body}")
        return "\n".join(lines) + "\n"

    def provision(self) -> str:
        """Returns the text of the provision."""
        rules = [self.rhai] if self.rhai else []
        functions = [self.functions] if self.functions else []
        for number, view in enumerate(self.views):
            methods = ", ".join(f'"{method}"' for method in view.methods)
            rules.append(f'app.add_url_rule("{view.rule}", "v{number}", v{number}, [{methods}]);')
            functions.append(f"fn v{number}({', '.join(view.variables)}) {{\n{view.rhai}\n}}")
        return "fn registerRules() {\n" + "\n".join(rules) + "\n}\n" + "\n".join(functions) + "\n"


def multipart(*parts: tuple[bytes, bytes]) -> bytes:
    """Returns a body with the boundary `b`, of pairs of a head and a content."""
    return b"".join(b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts) + b"--b--\r\n"
