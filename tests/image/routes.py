"""The routes of an installation of MLflow with basic-auth, as its own application lists them."""

import json
import re
from typing import TypeAlias

Route: TypeAlias = tuple[str, str]
"""Method and path, each parameter of the path as `<name>`."""

WALK = """
import json
from mlflow import server
from mlflow.server import auth
auth._MLFLOW_SGI_NAME.set("uvicorn")

def walk(routes, prefix=""):
    for route in routes:
        if hasattr(route, "effective_route_contexts"):  # FastAPI's wrapper of a router that is included
            yield from walk([one.starlette_route or one for one in route.effective_route_contexts()], prefix)
        elif methods := getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in methods)
        else:
            yield from walk(getattr(route, "routes", None) or (), prefix + route.path)

fastapi = list(walk(auth.create_app(server.app).routes))
flask = [(method, rule.rule) for rule in server.app.url_map.iter_rules() for method in rule.methods]
print(json.dumps({"fastapi": fastapi, "flask": flask}))
"""
"""A program for the installation's Python; needs an administrator's password and a key of Flask's."""


def routes(said: str) -> dict[str, set[Route]]:
    """Return the routes by who answers them, from what the program printed."""
    return {
        kind: {(method, _named(path)) for method, path in found if method not in {"HEAD", "OPTIONS"}}
        for kind, found in json.loads(said.splitlines()[-1]).items()
    }


def _named(path: str) -> str:
    """Write the parameters of a path alike: Flask has <kind:name>, FastAPI {name:kind}."""
    return re.sub(r"\{(\w+)[^}]*\}", r"<\1>", re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", path))
