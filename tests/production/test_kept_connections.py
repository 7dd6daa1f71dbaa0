"""The way in keeps its connections to pods for minutes; no request meets one that its pod has just closed."""

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from tests.production.rehearsal import HOST

CONNECTIONS = 200
PAUSES = (4, 4.5, 4.8, 4.9, 5, 5.1, 5.2, 5.5, 6, 7)
"""Seconds between requests, around those after which a server of uvicorn's own settings closes."""


def test_requests_some_seconds_apart_never_fail(authority: Path) -> None:
    context = ssl.create_default_context(cafile=authority)

    def ask(connection: HTTPSConnection) -> str:
        try:
            connection.request("POST", "/health")
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            return repr(error)
        return str(answer.status)

    with ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS) as threads:
        clients = [
            stack.enter_context(closing(HTTPSConnection(HOST, context=context, timeout=30))) for _ in range(CONNECTIONS)
        ]
        answers = list(threads.map(ask, clients))
        for pause in PAUSES:
            time.sleep(pause)
            answers += threads.map(ask, clients)

    # MLflow's answer to a POST of /health, which no proxy repeats.
    assert {answer: answers.count(answer) for answer in answers} == {"405": len(answers)}
