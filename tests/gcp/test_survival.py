"""Nothing that was answered is lost: by kill -9 of any part, or by an ordinary stop."""

import os
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import create_autospec

import httpx
import psycopg
import pytest

from local import instance
from local.gcp import supervisor
from local.gcp.postgres import Server
from local.gcp.postgres_programs import end_servers
from local.gcp.sql_instances import Instances
from local.gcp.sql_schedule import Schedule
from local.gcp.supervisor import Supervisor
from local.instance import Instance
from local.process import start_time
from local.standin import down
from tests.gcp.standin import PROJECT, StandIn, address, connect, instance_body, poll, query


def _fill(standin: StandIn) -> None:
    instance = standin.create("kept")
    query(instance, "CREATE TABLE kept AS SELECT 7 AS n")
    with standin.storage() as client:
        client.create_bucket("kept").blob("kept").upload_from_string("object")
    standin.http.post(f"/iam/v1/projects/{PROJECT}/serviceAccounts", json={"accountId": "kept-account"})


def _assert_full(standin: StandIn) -> None:
    instance = standin.sql("GET", "instances/kept")
    assert query(instance, "SELECT n FROM kept") == [(7,)]
    with standin.storage() as client:
        assert client.bucket("kept").blob("kept").download_as_bytes() == b"object"
    email = f"kept-account@{PROJECT}.iam.gserviceaccount.com"
    assert standin.http.get(f"/iam/v1/projects/{PROJECT}/serviceAccounts/{email}").status_code == 200


def test_a_killed_stand_in_takes_over_its_running_servers(own_standin: StandIn) -> None:
    _fill(own_standin)
    before = own_standin.postmaster()
    own_standin.kill()
    own_standin.start()
    assert own_standin.postmaster() == before
    _assert_full(own_standin)


def test_nothing_is_lost_when_stand_in_and_servers_are_killed_together(own_standin: StandIn) -> None:
    _fill(own_standin)
    own_standin.kill()
    own_standin.kill_postgres()
    own_standin.start()
    _assert_full(own_standin)


def test_a_stop_leaves_no_server_and_the_next_start_has_everything(own_standin: StandIn) -> None:
    _fill(own_standin)
    instance = own_standin.sql("GET", "instances/kept")
    assert own_standin.stop() == 0
    assert list(own_standin.state.glob("sql/*/data/postmaster.pid")) == []
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        connect(instance)
    own_standin.start()
    _assert_full(own_standin)


@pytest.mark.parametrize("at", ["sql/*", "sql/*/data.new*/PG_VERSION", "sql/*/data/postmaster.pid"])
def test_a_creation_cut_short_is_finished_by_the_next_start(own_standin: StandIn, at: str) -> None:
    operation = own_standin.sql("POST", "instances", instance_body("kept"))
    poll(lambda: bool(list(own_standin.state.glob(at))), at)
    own_standin.kill()
    own_standin.start()
    assert own_standin.done(operation).get("error") is None
    assert query(own_standin.sql("GET", "instances/kept"), "SELECT 1") == [(1,)]


def test_a_killed_stand_in_takes_the_programs_with_it_that_it_ran(own_standin: StandIn) -> None:
    operation = own_standin.sql("POST", "instances", instance_body("kept"))
    poll(lambda: bool(own_standin.programs("initdb")), "initdb")
    (initdb,) = own_standin.programs("initdb")
    os.kill(initdb, signal.SIGSTOP)
    own_standin.kill()
    poll(lambda: not own_standin.programs("initdb"), "the end of initdb")
    own_standin.start()
    assert own_standin.done(operation).get("error") is None


def test_down_ends_the_servers_of_a_killed_stand_in_too(own_standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(own_standin)
    killed = Instance("state")
    (own_standin.state / "gcp").symlink_to(".")
    monkeypatch.setattr(instance, "STATE_ROOT", own_standin.state.parent)
    own_standin.kill()
    postmaster = own_standin.postmaster()

    down(killed)

    assert start_time(postmaster) is None
    own_standin.start()
    _assert_full(own_standin)


def test_another_process_under_the_number_of_a_server_is_left_alone(tmp_path: Path) -> None:
    note = tmp_path / "instance" / "data" / "postmaster.pid"
    note.parent.mkdir(parents=True)
    other = subprocess.Popen(["/bin/sleep", "300"])
    note.write_text(f"{other.pid}\n")

    end_servers(tmp_path)

    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_failure_does_not_end_the_supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def look(_: Supervisor) -> None:
        looks.append("look")
        if len(looks) == 2:
            raise RuntimeError

    monkeypatch.setattr(Supervisor, "_look_after", look)
    monkeypatch.setattr(supervisor, "_INTERVAL_SECONDS", 0.01)
    watching = Supervisor(create_autospec(Instances), create_autospec(Schedule))
    watching.start()

    poll(lambda: len(looks) > 3, "another look")
    watching.stop()


def test_a_server_that_is_still_on_its_way_is_awaited(own_standin: StandIn) -> None:
    instance = own_standin.create("kept")
    (folder,) = (data.parent for data in own_standin.state.glob("sql/*/data"))
    server = Server(folder=folder, major=18, addresses=(address(instance),))
    own_standin.kill()
    with ThreadPoolExecutor() as pool:
        with connect(instance):
            os.kill(own_standin.postmaster(), signal.SIGTERM)  # it ends when its last session has ended
            starting = pool.submit(server.start)
            with pytest.raises(TimeoutError):
                starting.result(timeout=1)
        starting.result()
    assert server.serving()


def test_a_killed_database_server_shows_in_the_health_and_is_started_again(own_standin: StandIn) -> None:
    _fill(own_standin)
    own_standin.kill_postgres()
    unhealthy = own_standin.http.get("/healthz")
    assert (unhealthy.status_code, unhealthy.json()["failing"]) == (503, ["instance kept"])
    poll(own_standin.healthy, "the instance")
    _assert_full(own_standin)


def test_every_object_that_was_answered_survives_a_kill_in_the_middle_of_uploads(own_standin: StandIn) -> None:
    answered: list[str] = []

    def upload() -> None:
        for number in range(10_000):
            path = f"/upload/storage/v1/b/kept/o?uploadType=media&name={number}"
            try:
                httpx.post(own_standin.url + path, content=f"object {number}".encode()).raise_for_status()
            except httpx.HTTPError:
                return  # the stand-in is gone
            answered.append(str(number))

    with own_standin.storage() as client:
        bucket = client.create_bucket("kept")
        uploads = threading.Thread(target=upload)
        uploads.start()
        poll(lambda: len(answered) > 20, "the twentieth object")
        own_standin.kill()
        uploads.join()
        own_standin.start()
        assert {blob.name for blob in bucket.list_blobs()} >= set(answered)
        assert [bucket.blob(n).download_as_bytes() for n in answered] == [f"object {n}".encode() for n in answered]


def test_a_kill_in_the_middle_of_an_upload_leaves_no_object_and_no_file(own_standin: StandIn) -> None:
    with own_standin.storage() as client:
        bucket = client.create_bucket("kept")
        url = httpx.URL(own_standin.url)
        head = "POST /upload/storage/v1/b/kept/o?uploadType=media&name=half HTTP/1.1\r\nHost: localhost\r\n"
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(f"{head}Content-Length: {8 << 20}\r\n\r\n".encode() + bytes(4 << 20))
            poll(lambda: any(file.stat().st_size for file in own_standin.contents()), "half of the object")
            own_standin.kill()

        own_standin.start()

        assert list(bucket.list_blobs()) == []
        assert own_standin.contents() == []


def test_an_upload_in_pieces_goes_on_after_a_kill(own_standin: StandIn) -> None:
    with own_standin.storage() as client:
        bucket = client.create_bucket("kept")
        upload = str(bucket.blob("pieces").create_resumable_upload_session())
        own_standin.http.put(upload, content=b"ab", headers={"content-range": "bytes 0-1/*"})
        own_standin.kill()
        own_standin.start()

        asked = own_standin.http.put(upload, headers={"content-range": "bytes */*"})
        assert (asked.status_code, asked.headers["range"]) == (308, "bytes=0-1")
        own_standin.http.put(upload, content=b"c", headers={"content-range": "bytes 2-2/3"}).raise_for_status()

        assert bucket.blob("pieces").download_as_bytes() == b"abc"
