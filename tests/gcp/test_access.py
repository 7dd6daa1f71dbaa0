"""Who gets into a database: the right password, over TLS, from an authorized network, and nobody else."""

import socket
import ssl
import struct
from pathlib import Path

import psycopg
import pytest

from tests.gcp.standin import PASSWORD, Json, StandIn, address, connect, query


def _greeting(instance: Json, source: str) -> bytes:
    """Knock without TLS from `source`; answer b"R" when a password is asked for, b"E" when the door stays shut."""
    parameters = b"user\0postgres\0database\0postgres\0\0"
    startup = struct.pack("!II", 8 + len(parameters), 3 << 16) + parameters
    with socket.create_connection((address(instance), 5432), timeout=10, source_address=(source, 0)) as client:
        client.sendall(startup)
        return client.recv(1)


@pytest.fixture(scope="module")
def open_instance(standin: StandIn) -> Json:
    """An instance without TLS, so that a test can choose the address it comes from."""
    network = {"authorizedNetworks": [{"name": "a net", "value": "127.0.3.0/24"}, {"value": "127.0.0.1/32"}]}
    return standin.create("open", ipConfiguration=network)


def test_the_right_password_gets_in(instance: Json) -> None:
    assert query(instance, "SELECT current_user") == [("postgres",)]


def test_a_wrong_password_is_refused(instance: Json) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(instance, password=PASSWORD + "x")


def test_no_password_is_refused(instance: Json) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        connect(instance, password="")


def test_without_tls_nobody_gets_in_when_only_encrypted_is_allowed(instance: Json) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry .* no encryption"):
        connect(instance, sslmode="disable")


def test_the_server_s_certificate_is_signed_by_the_authority_in_the_answer(instance: Json, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(instance["serverCaCert"]["cert"])
    row = query(
        instance,
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        sslmode="verify-ca",
        sslrootcert=str(authority),
    )
    assert row == [(True,)]


def test_each_instance_has_an_authority_of_its_own(instance: Json, open_instance: Json, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(open_instance["serverCaCert"]["cert"])
    ssl.create_default_context(cafile=authority)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(instance, sslmode="verify-ca", sslrootcert=str(authority))


def test_only_authorized_networks_are_let_in(open_instance: Json) -> None:
    assert _greeting(open_instance, "127.0.3.77") == b"R"
    assert _greeting(open_instance, "127.0.4.77") == b"E"


def test_a_network_added_by_a_patch_is_let_in_and_one_removed_is_not(standin: StandIn) -> None:
    changed = standin.create("networks", ipConfiguration={"authorizedNetworks": [{"value": "127.0.3.0/24"}]})
    other = {"settings": {"ipConfiguration": {"authorizedNetworks": [{"value": "127.0.4.0/24"}]}}}
    standin.done(standin.sql("PATCH", "instances/networks", other))
    assert _greeting(changed, "127.0.4.77") == b"R"
    assert _greeting(changed, "127.0.3.77") == b"E"


def test_without_authorized_networks_nobody_is_let_in(standin: StandIn) -> None:
    closed = standin.create("closed", ipConfiguration={})
    assert _greeting(closed, "127.0.0.1") == b"E"


@pytest.mark.parametrize("network", ["127.0.0.1/33", "not a network", "127.0.0.1/8", "::1/128"])
def test_a_network_that_is_none_is_refused_by_its_value(standin: StandIn, instance: Json, network: str) -> None:
    body = {"settings": {"ipConfiguration": {"authorizedNetworks": [{"value": network}]}}}
    error = standin.sql("PATCH", f"instances/{instance['name']}", body)["error"]
    assert error["code"] == 400
    assert network in error["message"]


def test_the_administrator_of_the_stand_in_does_not_get_in_over_the_network(instance: Json) -> None:
    with pytest.raises(psycopg.OperationalError, match="pg_hba"):
        connect(instance, user="cloudsqladmin")


def test_the_root_user_is_no_superuser_as_in_cloud_sql(instance: Json) -> None:
    assert query(instance, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_no_password_is_in_the_logs_or_in_the_store_or_in_any_command_line(standin: StandIn, instance: Json) -> None:
    assert query(instance, "SELECT 1") == [(1,)]
    secret = PASSWORD.encode()
    files = [standin.log, *standin.state.glob("store.sqlite3*"), *standin.state.glob("sql/*/postgres.log")]
    assert len(files) > 2
    assert [file for file in files if secret in file.read_bytes()] == []
    commands = {path: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    assert [path for path, command in commands.items() if secret in command] == []
