"""An admission controller that does to limits of CPU what GKE Autopilot does without bursting: they become the request.

It sees CronJobs, and Jobs as they are made only: what cannot be changed could not be deleted either. Deployments are
left alone: on so little their pods would take minutes to start.
"""

import base64
import json
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.production.certificate import certificate
from tests.production.rehearsal import Rehearsal

NAME = "lower-limits"


@contextmanager
def lowering_limits(rehearsal: Rehearsal, folder: Path) -> Generator[None]:
    """Let the cluster of a rehearsal ask the controller while the block runs; `folder` keeps its certificate."""
    address = rehearsal.instance.host_address
    signed = certificate(address)
    (folder / "certificate.pem").write_text(signed.certificate + signed.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem")
    with ThreadingHTTPServer((address, 0), _Controller) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        configuration = _configuration(f"https://{address}:{server.server_port}/", signed.authority)
        rehearsal.project.output("kubectl", "apply", "--filename", "-", stdin=json.dumps(configuration))
        try:
            yield
        finally:
            rehearsal.project.output("kubectl", "delete", "mutatingwebhookconfiguration", NAME)
            server.shutdown()
            thread.join()


def _configuration(url: str, authority: str) -> dict[str, Any]:
    webhook = {
        "name": f"{NAME}.example.com",
        "clientConfig": {"url": url, "caBundle": base64.b64encode(authority.encode()).decode()},
        "rules": [
            _rule("cronjobs", "CREATE", "UPDATE"),
            _rule("jobs", "CREATE"),
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "mlflow"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    return {**kind, "metadata": {"name": NAME}, "webhooks": [webhook]}


def _rule(resource: str, *operations: str) -> dict[str, Any]:
    return {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": [*operations], "resources": [resource]}


class _Controller(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        """Answer an AdmissionReview with a patch."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        patch = base64.b64encode(json.dumps(lowered(review["request"]["object"])).encode()).decode()
        answer = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch", "patch": patch}
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Say nothing."""


def lowered(wanted: dict[str, Any]) -> list[dict[str, str]]:
    """Return the JSON patch by which limits of CPU become what is requested, in whatever holds a pod."""
    path, spec = "/spec", wanted["spec"]
    for step in ("jobTemplate", "spec", "template", "spec"):
        if step in spec and "containers" not in spec:
            path, spec = f"{path}/{step}", spec[step]
    return [
        {"op": "replace", "path": f"{path}/{kind}/{index}/resources/limits/cpu", "value": found["requests"]["cpu"]}
        for kind in ("initContainers", "containers")
        for index, found in enumerate(each.get("resources", {}) for each in spec.get(kind, []))
        if "cpu" in found.get("limits", {}) and "cpu" in found.get("requests", {})
    ]
