"""What the program refuses before it touches anything."""

import subprocess

import pytest

from tests.gcp.standin import StandIn, free_port


def _refusal(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("address", ["0.0.0.0:8085", "8.8.8.8:8085", "127.0.0.1", "127.0.0.1:0", "nowhere:80"])
def test_an_address_that_is_not_local_or_is_none_is_refused_by_its_value(unstarted: StandIn, address: str) -> None:
    assert address in _refusal(unstarted.command(listen=address))


def test_a_port_that_is_taken_is_named(standin: StandIn, unstarted: StandIn) -> None:
    taken = standin.url.removeprefix("http://")
    line = _refusal(unstarted.command(listen=taken))
    assert taken in line
    assert "in use" in line


def test_a_second_stand_in_over_the_same_state_is_refused(standin: StandIn) -> None:
    line = _refusal(standin.command(listen=f"127.0.0.1:{free_port()}"))
    assert str(standin.state) in line


def test_the_state_of_an_earlier_release_is_refused_and_left_alone(unstarted: StandIn) -> None:
    old = unstarted.state / "objects" / "index.sqlite3"
    old.parent.mkdir(parents=True)
    old.write_text("kept")
    line = _refusal(unstarted.command())
    assert str(unstarted.state) in line
    assert "make down" in line
    assert [path for path in unstarted.state.rglob("*") if path.is_file()] == [old]


def test_addresses_of_the_internet_are_refused_for_the_servers(unstarted: StandIn) -> None:
    command = unstarted.command()
    command[command.index("--sql-addresses") + 1] = "8.8.8.0/24"
    assert "8.8.8.0/24" in _refusal(command)


def test_only_the_address_given_is_listened_on(standin: StandIn) -> None:
    port = standin.url.rpartition(":")[2]
    listening = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[3] for line in listening.splitlines()] == [f"127.0.0.1:{port}"]
