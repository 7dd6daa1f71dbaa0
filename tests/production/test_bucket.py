"""The server's bucket lets nobody in at first, as at Google; the server starts once it does."""

from tests.production.rehearsal import Rehearsal


def test_the_server_starts_once_its_grants_count(rehearsal: Rehearsal) -> None:
    (job,) = [name for name in rehearsal.kubectl("get", "jobs", "--output", "name").split() if "migration" in name]
    first, *_, last = rehearsal.kubectl("logs", job, "--container", "bucket").splitlines()

    assert "does not let the server in yet" in first
    assert last.endswith("lets the server in")
