"""A stand-in for Pulumi's engine that keeps what a program registers.

It answers as the providers would: with the inputs and, in an update, the computed values below. In a preview those stay
unknown, as they do on a first `pulumi preview`.
"""

# ruff: noqa: ANN401, N802 - the messages of Pulumi's protocol have neither types nor Python's names

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - how Pulumi's protocol marks a secret
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

UNKNOWN = "<unknown>"
"""What stands in inputs for a value that only an update will tell."""

CERTIFICATE = "-----BEGIN CERTIFICATE-----"
HOST = "203.0.113.10"
PRIVATE_HOST = "10.81.0.3"
INSTANCE_ACCOUNT = "p1-instance@gcp-sa-cloud-sql.iam.gserviceaccount.com"
EMAIL = "mlflow-tracking@my-project.iam.gserviceaccount.com"

STACK_URN = "urn:pulumi:stack::project::pulumi:pulumi:Stack::mlflow-test"
"""URN of the stack itself, whose outputs are the stack's."""

_COMPUTED: dict[str, dict[str, Any]] = {
    "gcp:sql/databaseInstance:DatabaseInstance": {
        "project": "my-project",
        "publicIpAddress": HOST,
        "privateIpAddress": PRIVATE_HOST,
        "serviceAccountEmailAddress": INSTANCE_ACCOUNT,
        "serverCaCerts": [{"cert": CERTIFICATE}],
    },
    "gcp:serviceaccount/account:Account": {"email": EMAIL, "name": f"projects/my-project/serviceAccounts/{EMAIL}"},
    "gcp:serviceaccount/key:Key": {"privateKey": "a2V5"},
}


@dataclass(frozen=True)
class Registration:
    """One resource as the program asked for it."""

    type: str
    name: str
    urn: str
    parent: str
    """URN of the parent."""
    provider: str
    """URN of the provider, empty where none was named."""
    custom: bool
    inputs: dict[str, Any]
    """Inputs without the marks of secrecy; UNKNOWN where a value is not known."""
    secrets: frozenset[str]
    """Dotted paths of the inputs that are secret."""
    dependencies: frozenset[str]
    """URNs of what has to be there before."""
    timeouts: dict[str, str]
    protect: bool
    """Whether the engine refuses to delete it."""
    retain_on_delete: bool
    """Whether the engine leaves it alone where it would delete it."""
    ignored: tuple[str, ...]
    """Inputs whose changes are passed over."""


@dataclass(frozen=True)
class Result:
    """What an output came to."""

    value: Any
    known: bool
    secret: bool


@dataclass(frozen=True)
class Deployment:
    """All that a run registered, and the outputs it returned."""

    registrations: list[Registration]
    outputs: dict[str, Result]
    registered_outputs: dict[str, set[str]]
    """Names of the outputs that each component registered, by URN."""

    def state(self) -> dict[str, Any]:
        """Return what the engine remembers of the run, and tells when it is asked for a stack's resources."""
        resources = {
            each.urn: {"type": each.type, "outputs": {**each.inputs, **_COMPUTED.get(each.type, {})}}
            for each in self.registrations
        }
        told = {name: output.value for name, output in self.outputs.items()}
        return {**resources, STACK_URN: {"type": "pulumi:pulumi:Stack", "outputs": told}}

    def all(self, type_: str) -> list[Registration]:
        """Return the resources of the type; the end of its token is enough."""
        return [resource for resource in self.registrations if resource.type.endswith(f":{type_}")]

    def only(self, type_: str, name: str | None = None) -> Registration:
        """Return the one resource of the type and, if given, physical name."""
        found = [resource for resource in self.all(type_) if name in (None, _physical_name(resource))]
        assert len(found) == 1, f"{len(found)} resources are {type_} {name or ''}: {[r.name for r in found]}"
        return found[0]


def generated(name: str) -> str:
    """Return the password that the RandomPassword of a name turns out to be."""
    return f"generated-as-{name}"


def generated_bytes(name: str) -> str:
    """Return what the RandomBytes of a name turns out to be, in base64 with a sign that URLs do not take."""
    return base64.b64encode(b"\xff" + hashlib.sha256(name.encode()).digest()[1:]).decode()


def deploy(
    program: Callable[[], Mapping[str, pulumi.Output[Any] | None]],
    *,
    preview: bool = False,
    state: Mapping[str, Any] = MappingProxyType({}),
) -> Deployment:
    """Run a program on a state, as `Deployment.state` returns it; return what it registered and its outputs."""
    monitor = _RecordingMonitor(preview=preview, state=state)
    pulumi.runtime.set_mocks(monitor.mocks, project="mlflow", stack="test", preview=preview, monitor=monitor)
    results: dict[str, Result] = {}

    async def resolve(outputs: Mapping[str, pulumi.Output[Any] | None]) -> None:
        for name, output in outputs.items():
            if output is not None:
                value = await output.future()
                results[name] = Result(value, await output.is_known(), await output.is_secret())

    @pulumi.runtime.test
    def run() -> pulumi.Output[None]:
        return pulumi.Output.from_input(resolve(program()))

    run()
    return Deployment(monitor.registrations, results, monitor.outputs)


class _Providers(Mocks):
    def __init__(self, *, preview: bool, state: Mapping[str, Any]) -> None:
        self._preview, self._state = preview, dict(state)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self._preview:
            return None, args.inputs
        computed = _COMPUTED.get(args.typ, {})
        if args.typ == "random:index/randomPassword:RandomPassword":
            computed = {"result": generated(args.name)}
        if args.typ == "random:index/randomBytes:RandomBytes":
            computed = {"base64": generated_bytes(args.name)}
        return f"{args.name}-id", {**args.inputs, **computed}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token == "pulumi:pulumi:readStackResourceOutputs":  # noqa: S105 - the name of a function
            return {"name": args.args["stackName"], "outputs": self._state}, []
        raise AssertionError(f"the program asks a provider: {args.token}")


class _RecordingMonitor(MockMonitor):
    def __init__(self, *, preview: bool, state: Mapping[str, Any]) -> None:
        super().__init__(_Providers(preview=preview, state=state))
        self.registrations: list[Registration] = []
        self.outputs: dict[str, set[str]] = {}

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        secrets: set[str] = set()
        inputs = _plain(MessageToDict(request.object), "", secrets)
        self.registrations.append(
            Registration(
                type=request.type,
                name=request.name,
                urn=response.urn,
                parent=request.parent,
                provider=request.provider.rpartition("::")[0],
                custom=request.custom,
                inputs=inputs,
                secrets=frozenset(secrets),
                dependencies=frozenset(request.dependencies),
                timeouts=MessageToDict(request.customTimeouts),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignored=tuple(request.ignoreChanges),
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.outputs[request.urn] = set(MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)


def _plain(value: Any, path: str, secrets: set[str]) -> Any:
    """Return the value without Pulumi's marks and note the paths of what was marked secret."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get(_SIGNATURE) == _SECRET:
            secrets.add(path)
            return _plain(fields.get("value"), path, secrets)
        return {key: _plain(item, f"{path}.{key}".lstrip("."), secrets) for key, item in fields.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}.{index}", secrets) for index, item in enumerate(cast("list[Any]", value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # Pulumi's protocol knows one kind of number
    return UNKNOWN if value == _UNKNOWN else value


def _physical_name(resource: Registration) -> Any:
    return resource.inputs.get("metadata", resource.inputs).get("name")
