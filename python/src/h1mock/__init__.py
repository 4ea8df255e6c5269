"""The HTTP/1 mock server h1mock for tests in Python: the pytest fixture `h1mock`, and the same without pytest.

    with h1mock.Server.start() as server, server.mock() as mock:
        mock.provision('fn registerRules() { app.get("/hello", || "hello"); }')
        ...
        mock.verify("GET /hello", count=1)
"""

from h1mock.errors import AdminError, Error, NoProgram, ProvisionError, ProvisionWarning
from h1mock.journal import Entry
from h1mock.mock import Mock, Overlay
from h1mock.program import program
from h1mock.server import Server
from h1mock.state import Clock, Store

__all__ = [
    "AdminError",
    "Clock",
    "Entry",
    "Error",
    "Mock",
    "NoProgram",
    "Overlay",
    "ProvisionError",
    "ProvisionWarning",
    "Server",
    "Store",
    "program",
]
