"""Answers that are ready before their request has come in whole.

A proxy that passes requests on as they come, as ours does for uploads, closes the client's connection after such an
answer, and has no header left to say so: the client's next request meets a closed connection. So the request is taken
first, unless it is a large one.
"""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LARGE = 2**20
"""Bytes that a client would send in vain, and rather not."""


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response that depends on nothing in the request's body."""
    await _take(receive)
    await response(scope, receive, send)


async def _take(receive: Receive) -> None:
    taken = 0
    while taken < _LARGE:
        message = await receive()
        taken += len(message.get("body", b""))
        if not message.get("more_body", False):  # the end, or the client's
            return
