#!/opt/mlflow/bin/python3
"""Waits until the bucket lets the server in: `mlflow-bucket`.

Google applies a grant minutes after it was made, and a server that started before would lose its first artifacts
(https://cloud.google.com/iam/docs/access-change-propagation). Until a Kubernetes account may act as the server's Google
account there is not even a token. So each refusal is told and followed by another attempt, up to a deadline.

DEFAULT_ARTIFACT_ROOT names the bucket (gs://BUCKET); credentials and endpoint are found as Google's clients find them.
"""

import argparse
import os
import sys
import time
from urllib.parse import urlsplit

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage

_NEEDED = frozenset(f"storage.objects.{action}" for action in ("create", "delete", "get", "list", "update"))
_PAUSE_SECONDS = 5


def main() -> int:
    """Wait and return the exit status; what is missing is a line on stderr."""
    parser = argparse.ArgumentParser(prog="mlflow-bucket", description=__doc__)
    parser.add_argument("--patience", type=float, default=600, help="seconds to wait for the grants (600)")
    patience: float = parser.parse_args().patience
    name, end = urlsplit(os.environ["DEFAULT_ARTIFACT_ROOT"]).netloc, time.monotonic() + patience
    told = ""
    while refusal := _refusal(name):
        if refusal != told:
            _say(f"gs://{name} does not let the server in yet: {refusal}")
            told = refusal
        if time.monotonic() + _PAUSE_SECONDS > end:
            _say(f"not after {patience:.0f} s; it needs roles/storage.objectUser on the bucket. Is its grant there?")
            return 1
        time.sleep(_PAUSE_SECONDS)
    _say(f"gs://{name} lets the server in")
    return 0


def _refusal(name: str) -> str:
    """Ask for all that the server does with objects; return what is in its way, nothing where nothing is."""
    try:
        with storage.Client() as client:
            granted = client.bucket(name).test_iam_permissions(sorted(_NEEDED))
    except (GoogleAPIError, GoogleAuthError) as error:
        return str(error)
    return ", ".join(sorted(_NEEDED.difference(granted)))


def _say(text: str) -> None:
    print("mlflow-bucket:", " ".join(text.split()), file=sys.stderr, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    sys.exit(main())
