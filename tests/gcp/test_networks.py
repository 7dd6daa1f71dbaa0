"""Reserved ranges and the connection of a network with Google's services."""

import ipaddress
import uuid
from typing import Any

import pytest

from tests.gcp.standin import PROJECT, Json, StandIn, poll

_ADDRESSES = f"/compute/v1/projects/{PROJECT}/global/addresses"
_CONNECTIONS = "/servicenetworking/v1/services/servicenetworking.googleapis.com/connections"


@pytest.fixture
def network() -> str:
    """A network that no other test names."""
    return f"projects/{PROJECT}/global/networks/n-{uuid.uuid4().hex[:8]}"


def _name(network: str, number: int = 1) -> str:
    return f"range-{number}-{network.rpartition('-')[2]}"


def _body(network: str, number: int = 1, **changes: Any) -> Json:  # noqa: ANN401 - any field
    fixed = {"name": _name(network, number), "purpose": "VPC_PEERING", "addressType": "INTERNAL"}
    return {**fixed, "network": network, "prefixLength": 20} | changes


def _computed(standin: StandIn, operation: Json) -> Json:
    """Wait for a global operation, and answer it."""
    path = f"/compute/v1/projects/{PROJECT}/global/operations/{operation['name']}"
    poll(lambda: standin.http.get(path).json()["status"] == "DONE", "the global operation")
    return standin.http.post(f"{path}/wait").json()


def _reserve(standin: StandIn, network: str, number: int = 1, **changes: Any) -> Json:  # noqa: ANN401 - any field
    operation = standin.http.post(_ADDRESSES, json=_body(network, number, **changes)).json()
    assert operation["status"] == "PENDING", operation
    assert "error" not in _computed(standin, operation)
    return standin.http.get(f"{_ADDRESSES}/{_name(network, number)}").json()


def _range(address: Json) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{address['address']}/{address['prefixLength']}")


def _numbered(standin: StandIn, network: str) -> str:
    number = standin.http.get(f"/cloudresourcemanager/v1/projects/{PROJECT}").json()["projectNumber"]
    return network.replace(f"projects/{PROJECT}/", f"projects/{number}/")


def _connected(standin: StandIn, operation: Json) -> Json:
    """Wait for an operation of service networking, and answer it."""
    assert operation.get("done") is False, operation
    path = f"/servicenetworking/v1/{operation['name']}"
    poll(lambda: standin.http.get(path).json()["done"], "the connection")
    return standin.http.get(path).json()


def _connect(standin: StandIn, network: str, *numbers: int) -> Json:
    body = {"network": _numbered(standin, network), "reservedPeeringRanges": [_name(network, n) for n in numbers]}
    return _connected(standin, standin.http.post(_CONNECTIONS, json=body).json())


def _connections(standin: StandIn, network: str) -> list[Json]:
    answer = standin.http.get(f"{_CONNECTIONS}?network={_numbered(standin, network)}").json()
    return answer.get("connections", [])


def test_a_range_is_reserved_described_and_given_back(standin: StandIn, network: str) -> None:
    address = _reserve(standin, network)
    assert (address["status"], address["prefixLength"], address["purpose"]) == ("RESERVED", 20, "VPC_PEERING")
    assert address["network"].endswith(f"/compute/v1/{network}")
    assert address["name"] in [item["name"] for item in standin.http.get(_ADDRESSES).json()["items"]]
    operation = standin.http.delete(f"{_ADDRESSES}/{address['name']}").json()
    assert "error" not in _computed(standin, operation)
    assert standin.http.get(f"{_ADDRESSES}/{address['name']}").status_code == 404


def test_ranges_of_one_network_never_overlap(standin: StandIn, network: str) -> None:
    ranges = [_range(_reserve(standin, network, number, prefixLength=24 - number)) for number in (1, 2, 3)]
    assert [r.prefixlen for r in ranges] == [23, 22, 21]
    assert not any(a.overlaps(b) for a in ranges for b in ranges if a is not b)


def test_the_first_range_of_a_network_holds_the_addresses_of_its_databases(standin: StandIn, network: str) -> None:
    assert ipaddress.IPv4Address("127.77.0.1") in _range(_reserve(standin, network))


def test_a_range_that_is_asked_for_is_given_unless_it_overlaps_another(standin: StandIn, network: str) -> None:
    assert str(_range(_reserve(standin, network, address="10.7.16.0"))) == "10.7.16.0/20"
    refused = standin.http.post(_ADDRESSES, json=_body(network, 2, address="10.7.0.0", prefixLength=16))
    assert refused.status_code == 400
    assert "overlaps" in refused.json()["error"]["message"]


@pytest.mark.parametrize("changes", [{"prefixLength": 30}, {"network": "vpc"}, {"name": "Capital"}])
def test_a_range_that_cannot_be_is_a_400(standin: StandIn, network: str, changes: Json) -> None:
    assert standin.http.post(_ADDRESSES, json=_body(network) | changes).status_code == 400


def test_a_name_that_is_taken_is_a_409_and_a_public_address_a_501(standin: StandIn, network: str) -> None:
    _reserve(standin, network)
    assert standin.http.post(_ADDRESSES, json=_body(network)).status_code == 409
    assert standin.http.post(_ADDRESSES, json={"name": "public", "addressType": "EXTERNAL"}).status_code == 501


def test_labels_are_changed_only_by_who_has_read_them(standin: StandIn, network: str) -> None:
    address = _reserve(standin, network)
    path, body = f"{_ADDRESSES}/{address['name']}", {"labels": {"a": "b"}, "labelFingerprint": "b2xk"}
    assert standin.http.post(f"{path}/setLabels", json=body).status_code == 412
    body["labelFingerprint"] = address["labelFingerprint"]
    _computed(standin, standin.http.post(f"{path}/setLabels", json=body).json())
    assert standin.http.get(path).json()["labels"] == {"a": "b"}


def test_a_network_is_connected_by_its_ranges_and_disconnected(standin: StandIn, network: str) -> None:
    _reserve(standin, network)
    assert _connections(standin, network) == []
    connection = _connect(standin, network, 1)["response"]
    assert (connection["peering"], connection["reservedPeeringRanges"]) == (
        "servicenetworking-googleapis-com",
        [_name(network)],
    )
    assert _connections(standin, network) == [{k: v for k, v in connection.items() if k != "@type"}]

    path = f"{_CONNECTIONS}/servicenetworking-googleapis-com"
    body = {"consumerNetwork": _numbered(standin, network)}
    assert "error" not in _connected(standin, standin.http.post(path, json=body).json())
    assert _connections(standin, network) == []
    assert standin.http.post(path, json=body).status_code == 404


def test_the_ranges_of_a_connection_are_changed_by_an_update_and_not_by_making_it_again(
    standin: StandIn, network: str
) -> None:
    for number in (1, 2):
        _reserve(standin, network, number)
    _connect(standin, network, 1)
    assert "Please use UpdateConnection" in _connect(standin, network, 1, 2)["error"]["message"]

    names = [_name(network, 1), _name(network, 2)]
    body = {"network": _numbered(standin, network), "reservedPeeringRanges": names}
    path = f"{_CONNECTIONS}/-?updateMask=reservedPeeringRanges&force=true"
    _connected(standin, standin.http.patch(path, json=body).json())
    assert _connections(standin, network)[0]["reservedPeeringRanges"] == names


def test_a_connection_names_its_project_by_number_and_ranges_that_are_there(standin: StandIn, network: str) -> None:
    body = {"network": network, "reservedPeeringRanges": [_name(network)]}
    assert standin.http.post(_CONNECTIONS, json=body).status_code == 400
    missing = standin.http.post(_CONNECTIONS, json={**body, "network": _numbered(standin, network)})
    assert missing.status_code == 400
    assert _name(network) in missing.json()["error"]["message"]
