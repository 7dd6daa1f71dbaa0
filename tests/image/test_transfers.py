"""A process takes few artifacts at a time; others wait, and are asked to come again rather than turned away."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from mlflow_on_kubernetes import transfers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from settings.server import TRANSFERS

T = TypeVar("T")

PATH = "http://server/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/model"


class Slow:
    """An application whose transfers last until they are let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once let go."""
        self.begun += 1
        await self.go.wait()
        await PlainTextResponse("done")(scope, receive, send)


def _result(work: Coroutine[Any, Any, T]) -> T:
    """Return what comes of `work`; unlike asyncio.run it leaves the thread's event loop to the tests that follow."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def _client(app: Slow) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(transfers.LimitedTransfers(app)))


def test_others_wait_for_their_turn() -> None:
    async def run() -> tuple[int, list[int]]:
        app = Slow()
        async with _client(app) as client, asyncio.TaskGroup() as group:
            asked = [group.create_task(client.put(PATH)) for _ in range(transfers.AT_A_TIME + 1)]
            await asyncio.sleep(0.1)
            begun = app.begun
            app.go.set()
        return begun, [task.result().status_code for task in asked]

    assert _result(run()) == (transfers.AT_A_TIME, [200] * (transfers.AT_A_TIME + 1))


def test_who_waits_too_long_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PATIENCE", 0.1)

    async def run() -> httpx.Response:
        app = Slow()
        async with _client(app) as client, asyncio.TaskGroup() as group:
            for _ in range(transfers.AT_A_TIME):
                group.create_task(client.get(PATH))
            await asyncio.sleep(0)
            refused = await client.get(PATH)
            app.go.set()
            return refused

    refused = _result(run())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


def test_what_is_no_transfer_does_not_wait() -> None:
    async def run() -> int:
        app = Slow()
        app.go.set()
        async with _client(app) as client:
            return (await client.get("http://server/health")).status_code

    assert _result(run()) == 200


def test_the_sizing_rule_counts_as_many_as_there_may_be() -> None:
    assert TRANSFERS == transfers.AT_A_TIME
