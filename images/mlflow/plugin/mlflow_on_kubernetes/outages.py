"""Tells a database that does not answer from a wrong password.

In front of traces, artifacts and the gateway MLflow takes whatever goes wrong while it checks a password for a wrong
one: 401, which no client repeats. Here the check raises what it met, and the answer is 503, as everywhere else.
"""

from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any

from mlflow.exceptions import MlflowException

_met: ContextVar[MlflowException | None] = ContextVar("met", default=None)


def tell_outages(auth: ModuleType) -> None:
    """Have `mlflow.server.auth` raise what it met instead of refusing the password."""
    look_up, check = auth._authenticate_cached, auth._authenticate_fastapi_request  # noqa: SLF001 - there is no other way

    @wraps(look_up)
    def noting(*arguments: Any) -> Any:  # noqa: ANN401 - MLflow's
        try:
            return look_up(*arguments)
        except MlflowException as error:
            _met.set(error)
            raise

    @wraps(check)
    def telling(*arguments: Any) -> Any:  # noqa: ANN401 - MLflow's
        _met.set(None)
        user, met = check(*arguments), _met.get()
        if user is None and met is not None:
            raise met
        return user

    vars(auth).update(_authenticate_cached=noting, _authenticate_fastapi_request=telling)
