"""Google's own clients, for the project, the credentials and the endpoints of a stack."""

from typing import Any

import google.auth
from google.auth.credentials import Credentials
from google.cloud import storage
from google.oauth2.credentials import Credentials as Token
from googleapiclient import discovery

from operations.stack import Stack

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def cloud_sql(stack: Stack) -> Any:  # noqa: ANN401 - the client is made from Google's description at run time
    """Return the client of Cloud SQL."""
    return discovery.build(
        "sqladmin", "v1beta4", credentials=_credentials(stack), client_options=_options(stack, "sql", "sql/v1beta4/")
    )


def cloud_storage(stack: Stack) -> storage.Client:
    """Return the client of Cloud Storage."""
    return storage.Client(
        project=stack.project, credentials=_credentials(stack), client_options=_options(stack, "storage", "storage/v1/")
    )


def _credentials(stack: Stack) -> Credentials:
    token = stack.token()
    if token is not None:
        return Token(token)
    credentials, _ = google.auth.default(_SCOPES, quota_project_id=stack.project)
    return credentials


def _options(stack: Stack, service: str, path: str) -> dict[str, str]:
    """Return where a service is, if it is not at Google; the clients add the version's path themselves."""
    endpoint = stack.setting(f"gcp:{service}CustomEndpoint")
    return {"api_endpoint": endpoint.removesuffix(path).rstrip("/")} if endpoint else {}
