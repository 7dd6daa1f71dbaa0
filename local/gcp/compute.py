"""Compute Engine, as far as private services access needs it: ranges of global addresses, and global operations.

A network is named by others and never made here: whichever is named is taken as existing. Only addresses of purpose
VPC_PEERING are kept; they reserve a range in a network and do nothing else.
"""

import base64
import hashlib
import ipaddress
import json
import re
import secrets
import uuid
from typing import Any, TypeAlias

from local.gcp import projects, ranges
from local.gcp.app import Call, Handler
from local.gcp.errors import ApiError, OperationFailedError, conflict, invalid, not_found, not_implemented
from local.gcp.operations import Operations, timestamp
from local.gcp.paging import page
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_API = "https://www.googleapis.com/compute/v1"
_KIND = "compute.globalAddress"
_SHORTEST, _LONGEST = 8, 29


class ComputeOperations(Operations):
    """Global operations, by the key "PROJECT/NAME"."""

    kind = "compute.operation"

    def start(self, operation_type: str, project: str, address: Json) -> Json:
        """Accept an operation on a global address and answer it as PENDING."""
        name = f"operation-{uuid.uuid4()}"
        operation: Json = {
            "kind": "compute#operation",
            "id": _identity(),
            "name": name,
            "operationType": operation_type,
            "status": "PENDING",
            "progress": 0,
            "insertTime": timestamp(),
            "targetId": address["id"],
            "targetLink": address["selfLink"],
            "selfLink": f"{_API}/projects/{project}/global/operations/{name}",
        }
        with self._store.transaction():
            self.accept(f"{project}/{name}", operation_type, operation, {"key": f"{project}/{address['name']}"})
        self.dispatch(f"{project}/{name}")
        return operation

    def ended(self, error: OperationFailedError | None, response: Json | None) -> Json:
        """Answer the end; the resource itself is in no operation of Compute Engine's."""
        del response
        end: Json = {"status": "DONE", "progress": 100, "endTime": timestamp()}
        if error is not None:
            end |= {"error": {"errors": [{"code": error.code, "message": error.message}]}, "httpErrorStatusCode": 400}
        return end


class GlobalAddresses:
    """Reserved ranges, by the key "PROJECT/NAME"; `home` is the range handed out first."""

    def __init__(self, store: Store, operations: ComputeOperations, home: ipaddress.IPv4Network) -> None:
        self._store = store
        self._operations = operations
        self._home = home
        operations.register({"insert": self._inserted, "setLabels": self._inserted, "delete": self._deleted})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {
            "compute.globalAddresses.insert": self._insert,
            "compute.globalAddresses.get": lambda call: self.find(call.path["project"], call.path["address"]),
            "compute.globalAddresses.list": self._list,
            "compute.globalAddresses.setLabels": self._set_labels,
            "compute.globalAddresses.delete": self._delete,
            "compute.globalOperations.get": self._operation,
            "compute.globalOperations.wait": self._operation,
        }

    def find(self, project: str, name: str) -> Json:
        """Answer an address; ApiError 404 when there is none."""
        address = self._store.get(_KIND, f"{project}/{name}")
        if address is None:
            raise not_found(f"The resource 'projects/{project}/global/addresses/{name}' was not found")
        return address

    def reserved(self, number: str, network: str) -> set[str]:
        """Answer the names of the ranges in a network of the project with this number."""
        found = [(key.partition("/"), address) for key, address in self._store.items(_KIND)]
        end = f"/networks/{network}"
        return {n for (p, _, n), a in found if projects.number(p) == number and a["network"].endswith(end)}

    def _operation(self, call: Call) -> Json:
        return self._operations.wait(f"{call.path['project']}/{call.path['operation']}")

    def _list(self, call: Call) -> Json:
        for unsupported in {"filter", "orderBy"} & set(call.query):
            raise not_implemented(f"query parameter {unsupported} of {call.method.id}")
        project = call.path["project"]
        found = [address for _, address in self._store.items(_KIND, f"{project}/")]
        listed = page(found, "items", call.query.get("maxResults"), call.query.get("pageToken"))
        link = f"{_API}/projects/{project}/global/addresses"
        return {"kind": "compute#addressList", "id": f"projects/{project}/global/addresses", "selfLink": link, **listed}

    def _insert(self, call: Call) -> Json:
        project, asked = call.path["project"], call.body
        name: str = asked.get("name", "")
        if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name):
            raise invalid(f"Invalid value for field 'resource.name': '{name}'. 63 letters, digits and hyphens at most.")
        if asked.get("purpose") != "VPC_PEERING" or asked.get("addressType") != "INTERNAL":
            raise not_implemented("a global address other than purpose=VPC_PEERING with addressType=INTERNAL")
        with self._store.transaction():
            if self._store.get(_KIND, f"{project}/{name}"):
                message = f"The resource 'projects/{project}/global/addresses/{name}' already exists"
                raise conflict("alreadyExists", message)
            address = self._new(project, asked)
            self._store.put(_KIND, f"{project}/{name}", address)
            return self._operations.start("insert", project, address)

    def _new(self, project: str, asked: Json) -> Json:
        network = network_path(asked.get("network", ""))
        reserved = self._reserve(network, asked)
        return {
            **{key: asked[key] for key in ("name", "description", "purpose", "addressType") if asked.get(key)},
            "kind": "compute#address",
            "id": _identity(),
            "creationTimestamp": timestamp(),
            "network": f"{_API}/{network}",
            "address": str(reserved.network_address),
            "prefixLength": reserved.prefixlen,
            "status": "RESERVING",
            "selfLink": f"{_API}/projects/{project}/global/addresses/{asked['name']}",
            **_labelled(asked.get("labels", {})),
        }

    def _reserve(self, network: str, asked: Json) -> ipaddress.IPv4Network:
        """Answer the range asked for, or a free one of the length asked for."""
        length: int = asked.get("prefixLength", 0)
        if not _SHORTEST <= length <= _LONGEST:
            field = "Invalid value for field 'resource.prefixLength'"
            raise invalid(f"{field}: '{length}'. A range for VPC_PEERING is from /{_SHORTEST} to /{_LONGEST}.")
        there = [address for _, address in self._store.items(_KIND) if address["network"].endswith(network)]
        taken = [ipaddress.IPv4Network(f"{address['address']}/{address['prefixLength']}") for address in there]
        if not asked.get("address"):
            found = ranges.free(length, self._home, taken)
            if found is None:
                raise ApiError(400, "ipSpaceExhausted", f"IP space of {network} is exhausted: no range of /{length}.")
            return found
        try:
            wanted = ipaddress.IPv4Network(f"{asked['address']}/{length}")
        except ValueError as error:
            raise invalid(f"Invalid value for field 'resource.address': {error}.") from error
        if any(wanted.overlaps(other) for other in taken):
            raise invalid(f"Invalid value for field 'resource.address': {wanted} overlaps another range of {network}.")
        return wanted

    def _set_labels(self, call: Call) -> Json:
        project, name = call.path["project"], call.path["resource"]
        with self._store.transaction():
            address = self.find(project, name)
            if call.body.get("labelFingerprint") != address["labelFingerprint"]:
                raise ApiError(412, "conditionNotMet", "The labels have changed since they were read")
            self._store.put(_KIND, f"{project}/{name}", {**address, **_labelled(call.body.get("labels", {}))})
            return self._operations.start("setLabels", project, address)

    def _delete(self, call: Call) -> Json:
        project = call.path["project"]
        return self._operations.start("delete", project, self.find(project, call.path["address"]))

    def _inserted(self, work: Json) -> None:
        with self._store.transaction():
            address = self._store.get(_KIND, work["key"])
            if address is not None:
                self._store.put(_KIND, work["key"], {**address, "status": "RESERVED"})

    def _deleted(self, work: Json) -> None:
        self._store.delete(_KIND, work["key"])


def network_path(link: str) -> str:
    """Answer "projects/P/global/networks/N" of a network's link in any form; ApiError 400 when it is none."""
    match = re.search(r"(?:^|/)(projects/[^/]+/global/networks/[^/]+)$", link)
    if match is None:
        raise invalid(f"{link!r} is no network: give projects/PROJECT/global/networks/NETWORK.")
    return match[1]


def _labelled(labels: Json) -> Json:
    digest = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).digest()[:8]
    return {"labels": labels, "labelFingerprint": base64.b64encode(digest).decode()}


def _identity() -> str:
    return str(10**18 + secrets.randbelow(10**18))
