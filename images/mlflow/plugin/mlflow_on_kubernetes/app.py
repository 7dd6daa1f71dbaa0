"""MLflow's application with everything that this package adds: `mlflow server --app-name kubernetes`.

Imports MLflow's application within the functions: `mlflow server` imports this module as well, before it starts the
server, to see that they are functions.
"""

from fastapi import FastAPI
from starlette.types import ASGIApp

from mlflow_on_kubernetes.connections import wait_for_connections
from mlflow_on_kubernetes.downloads import StreamedDownloads
from mlflow_on_kubernetes.farewell import Farewell
from mlflow_on_kubernetes.former_keys import decrypt_with_former_keys
from mlflow_on_kubernetes.jobs import refuse_jobs
from mlflow_on_kubernetes.origins import GuardedOrigins
from mlflow_on_kubernetes.outages import tell_outages
from mlflow_on_kubernetes.service import InService, watch
from mlflow_on_kubernetes.threads import OwnLoops
from mlflow_on_kubernetes.transfers import LimitedTransfers


def create_app() -> ASGIApp:
    """Return the application of a server that anybody uses who reaches it."""
    wait_for_connections()
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - see above

    return _extended(app)


def create_app_with_users() -> ASGIApp:
    """Return the application of a server that people log in to (basic-auth)."""
    wait_for_connections()
    from mlflow.server import auth  # noqa: PLC0415 - see above

    tell_outages(auth)
    app = auth.create_app()
    if not isinstance(app, FastAPI):
        raise TypeError("mlflow server started another web server than uvicorn")
    return _extended(app)


def _extended(app: ASGIApp) -> ASGIApp:
    decrypt_with_former_keys()
    refuse_jobs()
    served = GuardedOrigins(LimitedTransfers(OwnLoops(StreamedDownloads(app))))
    return Farewell(InService(served, watch()))
