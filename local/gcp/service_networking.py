"""Service Networking: the connection of a network with Google's services, by which Cloud SQL has private addresses.

A connection is named by its network's project number, as at Google. It is a word and no wire: who reaches an
instance's private address is decided by the instance.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

from local.gcp import projects
from local.gcp.app import Call, Handler
from local.gcp.compute import GlobalAddresses
from local.gcp.errors import ApiError, OperationFailedError, invalid, not_found
from local.gcp.operations import Operations
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]
_InUse: TypeAlias = Callable[[str], bool]

_KIND = "servicenetworking.connection"
_SERVICE = "services/servicenetworking.googleapis.com"
_PEERING = "servicenetworking-googleapis-com"
_TYPE = "type.googleapis.com/google.cloud.servicenetworking.v1.Connection"
_FAILED_PRECONDITION = 9  # google.rpc.Code


class ServiceNetworkingOperations(Operations):
    """Operations by their own name, "operations/NAME"."""

    kind = "servicenetworking.operation"

    def start(self, operation_type: str, connection: Json) -> Json:
        """Accept an operation on a connection and answer it as not done."""
        name = f"operations/pssn.{uuid.uuid4()}"
        operation: Json = {"name": name, "done": False}
        with self._store.transaction():
            self.accept(name, operation_type, operation, connection)
        self.dispatch(name)
        return operation

    def done(self, operation: Json) -> bool:
        """Tell whether an operation has ended."""
        return operation["done"]

    def begun(self) -> Json:
        """Answer nothing: this API does not tell that work has begun."""
        return {}

    def ended(self, error: OperationFailedError | None, response: Json | None) -> Json:
        """Answer the end: the connection, or why not."""
        if error is not None:
            return {"done": True, "error": {"code": _FAILED_PRECONDITION, "message": error.message}}
        return {"done": True, "response": response or {"@type": "type.googleapis.com/google.protobuf.Empty"}}


class Connections:
    """Connections, by "projects/NUMBER/global/networks/NAME"; `in_use` tells whether an instance needs one."""

    def __init__(self, store: Store, operations: ServiceNetworkingOperations, addresses: GlobalAddresses) -> None:
        self._store = store
        self._operations = operations
        self._addresses = addresses
        self.in_use: _InUse = lambda _: False
        operations.register({"create": self._create, "update": self._update, "delete": self._delete})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        prefix = "servicenetworking.services.connections"
        return {
            f"{prefix}.create": lambda call: self._start("create", call.path["parent"], call.body),
            f"{prefix}.list": self._list,
            f"{prefix}.patch": self._patch,
            f"{prefix}.deleteConnection": self._delete_request,
            "servicenetworking.operations.get": lambda call: self._operations.wait(call.path["name"]),
        }

    def of(self, network: str) -> Json | None:
        """Answer the connection of "projects/PROJECT/global/networks/NAME", by project or number; None without one."""
        _, project, _, _, name = network.split("/")
        for spelling in (project, projects.number(project)):
            connection = self._store.get(_KIND, f"projects/{spelling}/global/networks/{name}")
            if connection is not None:
                return connection
        return None

    def _list(self, call: Call) -> Json:
        service, network = call.path["parent"], call.query.get("network")
        if network is None:
            raise invalid("query parameter network is missing: projects/NUMBER/global/networks/NETWORK.")
        found = self._store.get(_KIND, network) if service in (_SERVICE, "services/-") else None
        return {"connections": [found]} if found else {}

    def _start(self, operation_type: str, service: str, asked: Json) -> Json:
        network, reserved = asked.get("network", ""), asked.get("reservedPeeringRanges", [])
        _require_service(service)
        match = re.fullmatch(r"projects/(\d+)/global/networks/[^/]+", network)
        if match is None:
            raise invalid(f"network {network!r}: give projects/NUMBER/global/networks/NETWORK by number.")
        self._require_ranges(match[1], network, reserved)
        connection = {"network": network, "reservedPeeringRanges": reserved, "peering": _PEERING, "service": _SERVICE}
        return self._operations.start(operation_type, connection)

    def _require_ranges(self, number: str, network: str, names: list[str]) -> None:
        """Raise ApiError 400 unless every range is reserved in the network; one at least."""
        if not names:
            raise invalid("reservedPeeringRanges is empty: name a global address of purpose VPC_PEERING.")
        name = network.rpartition("/")[2]
        there = self._addresses.reserved(number, name)
        for missing in sorted(set(names) - there):
            raise ApiError(400, "badRequest", f"Range {missing!r} is not a reserved range (VPC_PEERING) of {network}.")

    def _patch(self, call: Call) -> Json:
        if call.query.get("updateMask", "reservedPeeringRanges") != "reservedPeeringRanges":
            raise invalid(f"updateMask {call.query['updateMask']!r}: only reservedPeeringRanges can be changed.")
        network = call.body.get("network", "")
        if self._store.get(_KIND, network) is None:
            raise not_found(f"There is no connection of {network} to update.")
        return self._start("update", call.path["name"].partition("/connections/")[0], call.body)

    def _delete_request(self, call: Call) -> Json:
        network = call.body.get("consumerNetwork", "")
        _require_service(call.path["name"].partition("/connections/")[0])
        connection = self._store.get(_KIND, network)
        if connection is None:
            raise not_found(f"There is no connection of {network!r} to delete.")
        return self._operations.start("delete", connection)

    def _create(self, connection: Json) -> Json:
        with self._store.transaction():
            there = self._store.get(_KIND, connection["network"])
            if there not in (None, connection):
                message = "Cannot modify allocated ranges in CreateConnection. Please use UpdateConnection."
                raise OperationFailedError("FAILED_PRECONDITION", message)
            return self._update(connection)

    def _update(self, connection: Json) -> Json:
        self._store.put(_KIND, connection["network"], connection)
        return {"@type": _TYPE, **connection}

    def _delete(self, connection: Json) -> None:
        if self.in_use(connection["network"]):
            message = "Producer services (e.g. CloudSQL, Cloud Memstore, etc.) are still using this connection."
            raise OperationFailedError("FAILED_PRECONDITION", f"Failed to delete connection; {message}")
        self._store.delete(_KIND, connection["network"])


def _require_service(service: str) -> None:
    if service != _SERVICE:
        raise invalid(f"{service} is no service that networks connect with; {_SERVICE} is.")
