"""Lets go of kept connections before the pod ends, so that none is closed under a request.

A load balancer keeps a connection for minutes, and may send a request just when this process closes it. So once the pod
is asked to end, each answer says that its connection closes after it. `mlflow-farewell` tells when that is.
"""

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTICE = Path("/tmp/farewell")  # noqa: S108 - the container's own
"""There from the moment that the pod is asked to end."""


class Farewell:
    """An application whose answers close their connections once the pod is asked to end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def close(message: Message) -> None:
            if message["type"] == "http.response.start" and _begun():
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, close)


def _begun() -> bool:
    return NOTICE.exists()
