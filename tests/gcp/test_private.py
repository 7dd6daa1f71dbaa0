"""Instances with a private address: their network has to be connected, and who is in it gets in."""

import psycopg
import pytest

from local.gcp import sql_settings
from tests.gcp.standin import PROJECT, Json, StandIn, connect, instance_body, poll, query

_NETWORK = f"projects/{PROJECT}/global/networks/private"
_LOOPBACK = [{"value": "127.0.0.1/32"}]


def _configuration(**changes: object) -> Json:
    """Settings of a private address; loopback is no private range of RFC 1918, so its clients are authorized."""
    fixed = {"ipv4Enabled": False, "privateNetwork": _NETWORK, "sslMode": "ENCRYPTED_ONLY"}
    return {**fixed, "authorizedNetworks": _LOOPBACK, **changes}


@pytest.fixture(scope="module")
def connected(standin: StandIn) -> str:
    """A network that is connected with Google's services."""
    body = {"name": "private", "purpose": "VPC_PEERING", "addressType": "INTERNAL", "network": _NETWORK}
    standin.http.post(f"/compute/v1/projects/{PROJECT}/global/addresses", json={**body, "prefixLength": 24})
    number = standin.http.get(f"/cloudresourcemanager/v1/projects/{PROJECT}").json()["projectNumber"]
    numbered = _NETWORK.replace(PROJECT, number)
    connection = {"network": numbered, "reservedPeeringRanges": ["private"]}
    path = "/servicenetworking/v1/services/servicenetworking.googleapis.com/connections"
    operation = standin.http.post(path, json=connection).json()
    poll(lambda: standin.http.get(f"/servicenetworking/v1/{operation['name']}").json()["done"], "the connection")
    return numbered


@pytest.fixture(scope="module")
def private(standin: StandIn, connected: str) -> Json:
    assert connected
    return standin.create("private", ipConfiguration=_configuration(allocatedIpRange="private"))


def test_a_private_instance_has_a_private_address_only_and_serves_there(private: Json) -> None:
    assert [entry["type"] for entry in private["ipAddresses"]] == ["PRIVATE"]
    assert query(private, "SELECT 1") == [(1,)]


def test_tls_is_required_on_a_private_address_as_on_a_public_one(private: Json) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry .* no encryption"):
        connect(private, sslmode="disable")


def test_every_private_range_may_connect_where_a_private_network_is_on_and_nowhere_else(private: Json) -> None:
    networks = sql_settings.access(private["settings"]).networks
    assert networks == ["127.0.0.1/32", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    public = {**private["settings"], "ipConfiguration": {"authorizedNetworks": [], "sslMode": "ENCRYPTED_ONLY"}}
    assert sql_settings.access(public).networks == []


@pytest.mark.usefixtures("connected")
def test_an_instance_may_have_both_addresses_and_serves_at_both(standin: StandIn) -> None:
    both = standin.create("both", ipConfiguration=_configuration(ipv4Enabled=True))
    assert [entry["type"] for entry in both["ipAddresses"]] == ["PRIMARY", "PRIVATE"]
    for entry in both["ipAddresses"]:
        assert query({"ipAddresses": [entry]}, "SELECT 1") == [(1,)]

    without = {"settings": {"ipConfiguration": {"ipv4Enabled": False}}}
    standin.done(standin.sql("PATCH", "instances/both", without))
    assert standin.sql("GET", "instances/both")["ipAddresses"] == both["ipAddresses"][1:]
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        connect(both)
    assert query({"ipAddresses": both["ipAddresses"][1:]}, "SELECT 1") == [(1,)]


@pytest.mark.usefixtures("connected")
def test_a_public_instance_gets_a_private_address_and_keeps_it(standin: StandIn) -> None:
    public = standin.create("moving")
    configuration = {"privateNetwork": _NETWORK, "authorizedNetworks": _LOOPBACK}
    standin.done(standin.sql("PATCH", "instances/moving", {"settings": {"ipConfiguration": configuration}}))
    moved = standin.sql("GET", "instances/moving")
    assert moved["ipAddresses"][0] == public["ipAddresses"][0]
    assert query({"ipAddresses": moved["ipAddresses"][1:]}, "SELECT 1") == [(1,)]

    away = standin.sql("PATCH", "instances/moving", {"settings": {"ipConfiguration": {"privateNetwork": None}}})
    assert "cannot be changed" in away["error"]["message"]


def test_a_network_without_a_connection_is_refused_and_no_instance_is_left(standin: StandIn) -> None:
    other = _configuration(privateNetwork=f"projects/{PROJECT}/global/networks/unconnected")
    error = standin.sql("POST", "instances", instance_body("unconnected", ipConfiguration=other))["error"]
    assert error["code"] == 400
    assert f"{PROJECT}:unconnected:NETWORK_NOT_PEERED" in error["message"]
    assert standin.sql("GET", "instances/unconnected")["error"]["code"] == 404


@pytest.mark.usefixtures("connected")
def test_a_range_that_is_not_the_connection_s_is_refused(standin: StandIn) -> None:
    other = _configuration(allocatedIpRange="another")
    error = standin.sql("POST", "instances", instance_body("elsewhere", ipConfiguration=other))["error"]
    assert error["code"] == 400
    assert "another" in error["message"]


def test_an_instance_without_any_address_is_refused(standin: StandIn) -> None:
    error = standin.sql("POST", "instances", instance_body("mute", ipConfiguration={"ipv4Enabled": False}))["error"]
    assert error["code"] == 400
    assert "ipv4Enabled" in error["message"]


@pytest.mark.usefixtures("private")
def test_a_connection_that_an_instance_uses_is_not_deleted(standin: StandIn, connected: str) -> None:
    path = "/servicenetworking/v1/services/servicenetworking.googleapis.com/connections/-"
    operation = standin.http.post(path, json={"consumerNetwork": connected}).json()
    poll(lambda: standin.http.get(f"/servicenetworking/v1/{operation['name']}").json()["done"], "the refusal")
    ended = standin.http.get(f"/servicenetworking/v1/{operation['name']}").json()
    assert "still using this connection" in ended["error"]["message"]
