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


def test_objects_in_the_form_of_an_earlier_release_are_refused_and_left_alone(unstarted: StandIn) -> None:
    index = unstarted.state / "objects" / "index.sqlite3"
    index.parent.mkdir(parents=True)
    index.touch()

    assert f"{unstarted.state} is of an earlier release" in _refusal(unstarted.command())
    assert index.exists()


def test_a_proxy_is_not_asked_about_what_is_in_a_bucket(unstarted: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    unstarted.start()
    created = unstarted.http.post("/storage/v1/b?project=demo", json={"name": "behind-a-proxy"})
    unstarted.end()
    assert created.status_code == 200


def test_addresses_of_the_internet_are_refused_for_the_servers(unstarted: StandIn) -> None:
    command = unstarted.command()
    command[command.index("--sql-addresses") + 1] = "8.8.8.0/24"
    assert "8.8.8.0/24" in _refusal(command)


def test_only_the_address_given_is_listened_on(standin: StandIn) -> None:
    port = standin.url.rpartition(":")[2]
    listening = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[3] for line in listening.splitlines()] == [f"127.0.0.1:{port}"]
