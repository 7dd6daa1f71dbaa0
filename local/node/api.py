"""Asks the API server for what the start has to wait for; everything else talks to it through kubectl or Pulumi."""

import http.client
import json
import ssl
from typing import Any

from local.node.certificates import AUTHORITY
from local.node.layout import API_PORT, Layout

TIMEOUT_SECONDS = 2


def get(layout: Layout, path: str) -> bytes | None:
    """Return the answer's body; None when the server does not answer or answers anything but 200."""
    trust = ssl.create_default_context(cafile=layout.pki / f"{AUTHORITY}.crt")
    trust.load_cert_chain(layout.pki / "admin.crt", layout.pki / "admin.key")
    address = layout.instance.node_address
    connection = http.client.HTTPSConnection(address, API_PORT, timeout=TIMEOUT_SECONDS, context=trust)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == http.client.OK else None


def get_json(layout: Layout, path: str) -> dict[str, Any]:
    """Return an object, {} when it is not there."""
    return json.loads(get(layout, path) or b"{}")
