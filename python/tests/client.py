"""A client for the tests: one request, its status and its text."""

import urllib.error
import urllib.request


def call(method, url, body=None, headers=()):
    request = urllib.request.Request(url, body and body.encode(), dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
