"""Refuses at once what needs MLflow's job runner, on a server that has none, before anything is written.

Left alone, some handlers make a run first and then fail to submit its job: the run stays RUNNING for ever. Automatic
evaluation would even be accepted, and never happen.
"""

import inspect
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

from flask import Flask, request
from mlflow import server
from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST
from mlflow.server import handlers, jobs

REASON = (
    "This server runs no jobs, so it detects no issues, evaluates nothing by itself and optimizes no prompts: "
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION is false. Run it where your client runs, such as with mlflow.genai.evaluate."
)
"""What whoever asks for a job is told."""

View = Callable[..., Any]


def refuse_jobs() -> None:
    """Change MLflow's application so that it refuses jobs; nothing where its job runner is on."""
    if MLFLOW_SERVER_ENABLE_JOB_EXECUTION.get():
        return
    _refuse_handlers(server.app)
    # Whatever else may ask for a job, such as the routes that FastAPI answers.
    jobs.submit_job = _refuse


def _refuse_handlers(app: Flask) -> None:
    """Have handlers that would submit a job refuse before they do anything else."""
    for name, view in app.view_functions.items():
        code = getattr(inspect.unwrap(view), "__code__", None)
        if code is not None and _names(code, jobs.submit_job.__name__):
            app.view_functions[name] = handlers.catch_mlflow_exception(_refuse)
    # The job runner looks for such settings by itself.
    setting = handlers._upsert_online_scoring_config.__name__  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - told by no route
    view = app.view_functions[setting]
    app.view_functions[setting] = handlers.catch_mlflow_exception(partial(_refuse_sampling, view))


def _names(code: CodeType, name: str) -> bool:
    """Tell whether a function, or one within it, speaks of `name`."""
    within = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return name in code.co_names or any(_names(inner, name) for inner in within)


def _refuse(*_: object, **__: object) -> Any:  # noqa: ANN401 - stands in for functions of all kinds
    # No 5xx: nothing is wrong with the server, and nobody should be called for it.
    raise MlflowException(REASON, BAD_REQUEST)


def _refuse_sampling(view: View) -> Any:  # noqa: ANN401 - as Flask has it
    """Refuse to turn automatic evaluation on; off it may be turned."""
    asked = request.get_json(silent=True)
    if isinstance(asked, dict) and asked.get("sample_rate", 0) != 0:
        _refuse()
    return view()
