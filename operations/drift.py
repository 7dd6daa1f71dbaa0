"""`drift`: what is not as the program says, found by asking Google and the cluster anew; nothing is changed.

Never tells a secret: of what the engine keeps secret only the place is named. Leaves mending to `pulumi up`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from operations.command import output, run
from operations.errors import UserError
from operations.server import APP, Server
from operations.stack import Stack

Json: TypeAlias = Mapping[str, Any]

_SECRET = "[secret]"  # noqa: S105 - what the engine writes in place of one
_COPIES = re.compile(r"(effectiveLabels|terraformLabels|pulumiLabels)\b")  # of labels, by the provider
_MISSING, _UNKNOWN = object(), "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's mark of what is known later
_LONGEST = 200


def drift(stack: Stack) -> list[str]:
    """Return a line for everything that differs.

    Raises:
        UserError: it could not be found out.

    """
    argv = ("pulumi", "preview", "--refresh", "--json", "--stack", stack.name)
    done = run(*argv)
    try:
        preview: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise UserError(f"`{' '.join(argv)}` ended with status {done.returncode}:\n{done.stderr.strip()}") from error
    errors = [each["message"].strip() for each in preview.get("diagnostics", []) if each["severity"] == "error"]
    if errors or done.returncode != 0:
        raise UserError("\n".join(["the preview failed:", *errors]))
    left = _left(stack)
    found = [line for step in preview["steps"] for line in differences(since(left.get(step["urn"], {}), step))]
    return found + list(_scaled(stack))


def since(left: Json, step: Json) -> Json:
    """Return a step without the places where nothing has changed since the last deployment, which left `left`.

    There an admission controller made something else of what the program says, as GKE Autopilot does of limits of CPU.
    To ask it what it would make of that now takes the right to change things, which whoever looks for drift lacks.
    """
    if step["op"] not in {"update", "replace"}:
        return step
    found, wanted = step["oldState"].get("outputs") or {}, step["newState"].get("inputs") or {}
    changed: Json = {
        path: diff
        for path, diff in (step.get("detailedDiff") or {}).items()
        if _SECRET in (_at(found, path), _at(wanted, path))
        or _at(found, path) != _at(left.get("outputs") or {}, path)
        or _at(wanted, path) != _at(left.get("inputs") or {}, path)
    }
    return {**step, "detailedDiff": changed} if changed or not step.get("detailedDiff") else {**step, "op": "same"}


def _left(stack: Stack) -> Mapping[str, Json]:
    """Return the resources as the last deployment left them, by URN; what is secret is encrypted."""
    state = json.loads(output("pulumi", "stack", "export", "--stack", stack.name))
    resources: list[Json] = state["deployment"].get("resources") or []
    return {each["urn"]: each for each in resources if not each.get("delete")}


def differences(step: Json) -> Iterator[str]:
    """Yield a line for everything that a step of a preview would change."""
    operation, name = step["op"], _name(step)
    # A provider is how this machine gets there, such as by which kubeconfig.
    if operation in {"same", "refresh", "read"} or "::pulumi:providers:" in step["urn"]:
        return
    if operation in {"create", "import"}:
        yield f"{name}: is missing"
    elif operation in {"delete", "discard"}:
        yield f"{name}: is there, and the program no longer names it"
    elif operation == "update":
        paths = [path for path in step.get("detailedDiff") or {} if not _COPIES.match(path)]
        for path in paths:
            yield f"{name}: {path} {_words(step, path)}"
        # Also planned is an update of what is as it should be and not ready, as while the autoscaler adds a pod.
        if not paths and not step["oldState"].get("initErrors"):
            yield f"{name}: differs"
    elif operation == "replace":
        reasons = ", ".join(step.get("replaceReasons") or ["something"])
        yield f"{name}: differs in {reasons}, for which it has to be replaced"


def _name(step: Json) -> str:
    """Return a resource's kind and name as Google and `kubectl` know them, such as `Secret mlflow-tls`."""
    *_, kinds, name = step["urn"].split("::")
    state = step.get("oldState") or step.get("newState") or {}
    properties = state.get("outputs") or state.get("inputs") or {}
    known = (properties.get("metadata") or properties).get("name")
    return f"{kinds.rpartition(':')[2]} {known or name}"


def _words(step: Json, path: str) -> str:
    """Say what is found at a path and what is wanted there."""
    found = _at(step["oldState"].get("outputs") or {}, path)
    wanted = _at(step["newState"].get("inputs") or {}, path)
    if _SECRET in (found, wanted):
        return "is not what it should be (secret)"
    if wanted is _MISSING:
        return f"is {_text(found)} and should not be set"
    if found is _MISSING:
        return f"is missing and should be {_text(wanted)}"
    return f"is {_text(found)} and should be {_text(wanted)}"


def _at(value: Any, path: str) -> object:  # noqa: ANN401 - JSON
    """Return what stands at a path such as `settings.flags[0].name`, the secret mark where it lies within one."""
    for bracketed, index, plain in re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)', path):
        if value == _SECRET:
            return _SECRET
        key = int(index) if index else bracketed or plain
        try:
            value = value[key]
        except (LookupError, TypeError):
            return _MISSING
    return value


def _text(value: object) -> str:
    if value is _MISSING:
        return "something else"
    text = "something that is known later" if value == _UNKNOWN else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _scaled(stack: Stack) -> Iterator[str]:
    """Look at what the program leaves to the autoscaler, which itself rests once somebody writes 0."""
    least, most = stack.replicas
    if most > least and Server(stack).replicas() == 0:
        remedy = f"`python -m operations start --stack {stack.name}` mends it"
        yield f"Deployment {APP}: spec.replicas is 0 and should be {least} to {most}: the autoscaler rests; {remedy}"
