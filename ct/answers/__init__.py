"""Requests that real Flask and h1mock answer beside each other: the tables that `ct/flask_answers.py` runs."""

from .edges import anyone, flagged, listed, named, none, one, two
from .files import files
from .requests import body, head, text
from .responses import cookie, etag, handlers, places, status, stream

GROUPS = [files, etag, text, body, head, status, handlers, cookie, places, stream, none, one, two, anyone, named, flagged, listed]
