"""Projects: whichever is named is there, with a number that follows from its name."""

import hashlib
from typing import Any, TypeAlias

from local.gcp.app import Call, Handler

Json: TypeAlias = dict[str, Any]

_FOUNDED = "2020-01-01T00:00:00.000Z"


def number(project: str) -> str:
    """Answer the number of a project."""
    return str(int(hashlib.sha256(project.encode()).hexdigest()[:10], 16))


def handlers() -> dict[str, Handler]:
    """Answer the handlers by method id."""
    return {"cloudresourcemanager.projects.get": _get}


def _get(call: Call) -> Json:
    project = call.path["projectId"]
    return {
        "projectId": project,
        "projectNumber": number(project),
        "name": project,
        "lifecycleState": "ACTIVE",
        "createTime": _FOUNDED,
    }
