"""Requests to a mock on this machine, with a deadline. A refused connection is an answer, since tests wait for mocks to start."""

import http.client
import json
from dataclasses import dataclass

DEADLINE = 10


@dataclass
class Answer:
    """Status 0: nobody answered."""

    status: int
    text: str

    def json(self):
        return json.loads(self.text)


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
    except (ConnectionError, http.client.BadStatusLine) as error:
        return Answer(0, str(error))
    finally:
        connection.close()
