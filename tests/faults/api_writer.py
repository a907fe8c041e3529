"""A program that replies by the API, and sends each reply again until it is answered."""

import json
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import cycle
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.faults.conftest import Desk
from tests.integration.servers.serve import Serve

AGAIN = (429, 500, 503)  # statuses after which a program tries again
PATIENCE = 5  # seconds for an answer
PAUSE = 0.5  # seconds before it is asked again


class Caller:
    """Replies every `period` seconds while the block runs; `keys` are those of the replies that were answered."""

    def __init__(self, desk: Desk, server: Serve, *, period: float) -> None:
        self._desk, self._server, self._period = desk, server, period
        self._is_over = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self.keys: list[str] = []
        self.answers: Counter[str] = Counter()

    def __enter__(self) -> "Caller":
        self._replying = self._thread.submit(self._reply_on)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._replying.result()

    def _reply_on(self) -> None:
        tickets = cycle(self._desk.tickets)
        while not self._is_over.wait(self._period):
            self._reply(next(tickets), str(uuid.uuid4()))

    def _reply(self, ticket: str, key: str) -> None:
        body = json.dumps({"message": f"By key {key}"}).encode()
        headers = {
            "Authorization": f"Bearer {self._desk.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        request = Request(f"{self._server.url}/api/v1/tickets/{ticket}/replies/", body, headers)
        while not self._is_answered(request):
            time.sleep(PAUSE)
        self.keys.append(key)

    def _is_answered(self, request: Request) -> bool:
        answer = _answer_to(request)
        self.answers[answer] += 1
        return answer == "201"


def _answer_to(request: Request) -> str:
    try:
        with urlopen(request, timeout=PATIENCE) as response:
            return str(response.status)
    except HTTPError as error:
        if error.code not in AGAIN:
            raise
        with error:
            return str(error.code)
    except (OSError, HTTPException) as error:
        return type(error).__name__
