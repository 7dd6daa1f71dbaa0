"""Refuses what a foreign web page has a user's browser send, at every path.

MLflow does so below /api and /ajax-api alone; a form of any page could use the LLM keys of /gateway, send traces, or
ask GraphQL. Which origins are foreign is MLflow's to say, by its setting --cors-allowed-origins.
"""

from mlflow.environment_variables import MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE
from mlflow.server import security_utils
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mlflow_on_kubernetes import early

REASON = f"{security_utils.CORS_BLOCKED_MSG}: --cors-allowed-origins names the origins whose pages may change anything"


class GuardedOrigins:
    """An application that pages of other origins cannot have anything done by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._allowed = security_utils.get_allowed_origins_from_env() or []
        self._guards = MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE.get() != "true"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._guards and scope["type"] == "http" and self._is_foreign(scope):
            await early.answer(PlainTextResponse(REASON, 403), scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin, method = headers.get("origin"), scope["method"]
        if origin is None:
            # Programs send neither; a browser that hides the origin still tells that it is another one.
            crosses = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
            return crosses and method in security_utils.STATE_CHANGING_METHODS and "*" not in self._allowed
        # An empty one is no origin that could be allowed.
        return security_utils.should_block_cors_request(origin or "null", method, self._allowed)
