"""Access tokens of service accounts: given for a key or by the metadata server, and read from a request.

Google's client libraries take a credentials file, sign an assertion with its key (RFC 7523), exchange it at the file's
`token_uri` for a token of an hour, and show that with each request. Whoever shows another token or none is the person
at the machine, who may do everything; from another machine, or from a pod, such a request is refused.
"""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

from google.auth import exceptions, jwt
from starlette.requests import Request
from starlette.responses import JSONResponse

from local.gcp.errors import ApiError

PATH = "/token"
_SECONDS = 3600
_AUDIENCE = "https://oauth2.googleapis.com/token"
"""Which Python's library names, wherever the file's token_uri leads; Go's names that."""
_PREFIX = "ya29."
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True)
class _Token:
    account: str
    until: float


class Tokens:
    """The tokens that were given since the start. `certificates` answers those of an account's keys, PEM by key id."""

    def __init__(self, certificates: Callable[[str], dict[str, str]]) -> None:
        self._certificates = certificates
        self._given: dict[str, _Token] = {}

    async def exchange(self, request: Request) -> JSONResponse:
        """Answer a token for an assertion, or what is wrong with it (RFC 6749, section 5.2)."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        assertion = form.get("assertion", "")
        if form.get("grant_type") != _GRANT:
            return _refused("unsupported_grant_type", f"only {_GRANT} is known")
        try:
            account = str(_claims(jwt.decode(assertion, verify=False))["iss"])
            jwt.decode(assertion, certs=self._certificates(account), audience=[_AUDIENCE, f"{request.base_url}token"])
        except (ValueError, KeyError, exceptions.GoogleAuthError) as error:
            return _refused("invalid_grant", f"Invalid JWT: {error}")
        return JSONResponse(self.give(account))

    def give(self, account: str) -> dict[str, str | int]:
        """Answer a new token of an account."""
        self._given = {token: given for token, given in self._given.items() if given.until > time.time()}
        token = f"{_PREFIX}{secrets.token_urlsafe(32)}"
        self._given[token] = _Token(account, time.time() + _SECONDS)
        return {"access_token": token, "expires_in": _SECONDS - 1, "token_type": "Bearer"}

    def account(self, request: Request) -> str | None:
        """Answer whose token a request shows, None for the person at the machine; ApiError 401 for anybody else."""
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not shown.startswith(_PREFIX) and _from_here(request):
            return None
        token = self._given.get(shown)
        if token is None or token.until < time.time():
            said = "Invalid Credentials" if shown else "Anonymous caller: only from this machine none are needed."
            raise ApiError(HTTPStatus.UNAUTHORIZED, "authError", said)
        return token.account


def _from_here(request: Request) -> bool:
    """Tell whether a request comes from an address of this machine: what is sent there has it as source, too."""
    if request.client is None:
        return False
    caller = request.client.host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((caller, 9))  # sends nothing
        return bool(probe.getsockname()[0] == caller)


def _claims(decoded: Any) -> dict[str, Any]:  # noqa: ANN401 - the library's, without types
    return cast("dict[str, Any]", decoded)


def _refused(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, HTTPStatus.BAD_REQUEST)
