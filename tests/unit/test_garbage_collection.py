"""The nightly job that removes for good what was deleted long ago."""

from typing import Any

from tests.unit.server import changed, environment, everything, server, variables


def collector(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the arguments take
    """Return the CronJob's specification."""
    return changed(deleted_run_retention="30d", **changes).only("CronJob").inputs["spec"]


def container(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    return collector(**changes)["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


def test_nothing_is_removed_unless_asked_for() -> None:
    assert not server().all("CronJob")


def test_what_was_deleted_long_enough_ago_is_removed_every_night() -> None:
    command = container()["command"]

    assert collector()["schedule"].split()[2:] == ["*", "*", "*"]
    assert command[0] == "mlflow-collect-garbage"
    assert command[command.index("--older-than") + 1] == "30d"
    assert command[command.index("--backend-store-uri") + 1].startswith("postgresql+psycopg2://?")


def test_an_update_lets_it_go_on_where_somebody_held_it_off() -> None:
    assert collector()["suspend"] is False


def test_one_at_a_time_and_not_for_ever() -> None:
    spec = collector()

    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 24 * 3600
    assert spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_a_failed_job_stays_from_one_night_to_the_next_and_not_for_ever() -> None:
    spec = collector()["jobTemplate"]["spec"]

    assert 24 * 3600 < spec["ttlSecondsAfterFinished"] < 48 * 3600
    assert spec["backoffLimit"] == 0


def test_artifacts_are_asked_of_the_server_by_a_name_that_it_answers() -> None:
    deployment = everything()
    command = deployment.only("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]["command"]
    hosts = command[command.index("--allowed-hosts") + 1].split(",")

    uri = variables(container())["MLFLOW_TRACKING_URI"]
    assert uri == "http://mlflow-tracking-server:5000"
    assert uri.removeprefix("http://") in hosts


def test_it_reaches_database_and_bucket_as_the_server_does() -> None:
    server_s = environment(server())

    assert {name: value for name, value in variables(container()).items() if name in server_s} == server_s


def test_it_logs_in_where_people_do() -> None:
    told = variables(container(users=True))

    assert told["MLFLOW_TRACKING_USERNAME"] == "admin"
    assert told["MLFLOW_TRACKING_PASSWORD"] == {
        "secretKeyRef": {"name": "mlflow-auth-credentials", "key": "admin-password"}
    }
    assert "MLFLOW_TRACKING_PASSWORD" not in variables(container())
