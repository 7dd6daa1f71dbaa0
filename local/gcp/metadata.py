"""The metadata server that pods ask who they are, as far as Google's client libraries ask it (Workload Identity).

GKE's knows a pod by its address; this one is told by the path, of which the variables GCE_METADATA_HOST and
GCE_METADATA_IP may have one: HOST:PORT/workload/NAMESPACE/ACCOUNT/EMAIL. Whether the Kubernetes account may act as the
service account is its policy's word (https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity).
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from local.gcp.iam import ServiceAccounts, project_of
from local.gcp.tokens import Tokens

PATH = "/workload/{namespace}/{account}/{email}{path:path}"
_FLAVOR = {"Metadata-Flavor": "Google"}
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class Metadata:
    """Answers pods."""

    def __init__(self, accounts: ServiceAccounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self._tokens = tokens

    def answer(self, request: Request) -> Response:
        """Answer one path below the address."""
        if request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403, _FLAVOR)
        email = request.path_params["email"]
        match request.path_params["path"].removeprefix("/computeMetadata/v1/").split("/"):
            case ["" | "computeMetadata"]:
                return PlainTextResponse("computeMetadata/\n", headers=_FLAVOR)
            case ["project", "project-id"]:
                return PlainTextResponse(project_of(email), headers=_FLAVOR)
            case ["instance", "service-accounts", known, *rest] if known in ("default", email):
                return self._of_account(request, email, rest)
            case _:
                return PlainTextResponse("Not Found", 404, _FLAVOR)

    def _of_account(self, request: Request, email: str, rest: list[str]) -> Response:
        if rest in ([], [""]):
            return JSONResponse({"aliases": ["default"], "email": email, "scopes": _SCOPES}, headers=_FLAVOR)
        if rest == ["email"]:
            return PlainTextResponse(email, headers=_FLAVOR)
        if rest != ["token"]:
            return PlainTextResponse("Not Found", 404, _FLAVOR)
        namespace, account = request.path_params["namespace"], request.path_params["account"]
        member = f"serviceAccount:{project_of(email)}.svc.id.goog[{namespace}/{account}]"
        if not self._accounts.lends_itself(email, member):
            denied = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
            return PlainTextResponse(f"Unable to generate access token; IAM returned 403: {denied}", 403, _FLAVOR)
        return JSONResponse(self._tokens.give(email), headers=_FLAVOR)
