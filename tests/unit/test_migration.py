"""The Jobs on the database: its account, its tables before the server, and the accounts of before after it."""

from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import TrackingServerArgs
from tests.unit.server import (
    ARGS,
    EVERYTHING,
    OWN_ACCOUNT,
    changed,
    container,
    everything,
    job,
    server,
    steps,
    variables,
)

MIGRATE = ["mlflow-migrate", "--patience", "1200"]


def test_the_schema_is_migrated_once_before_the_deployment() -> None:
    deployment = server()
    made = job(deployment, "migration")

    *_, step = steps(made)
    assert step["command"] == MIGRATE
    assert step["env"] == container(deployment)["env"]
    assert made.inputs["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert made.urn in deployment.only("Deployment").dependencies


def test_the_bucket_lets_the_server_in_before_anything_is_done_and_the_tables_of_users_come_last() -> None:
    made = job(everything(), "migration")

    assert [step["command"] for step in steps(made)] == [
        ["mlflow-bucket", "--patience", "600"],
        ["mlflow-database-account", "prepare"],
        MIGRATE,
        ["mlflow-auth-prepare"],
    ]


def test_a_step_that_is_not_needed_is_not_there() -> None:
    assert [step["name"] for step in steps(job(changed(database=OWN_ACCOUNT), "migration"))] == [
        *("bucket", "account", "migration")
    ]
    assert [step["name"] for step in steps(job(changed(users=True), "migration"))] == [
        *("bucket", "migration", "users")
    ]


def test_the_account_is_made_by_the_administrator_and_the_tables_by_the_account() -> None:
    bucket, account, *others = steps(job(everything(), "migration"))

    told = variables(account)
    assert told["PGUSER"] == "postgres"
    assert told["PGPASSWORD"]["secretKeyRef"]["name"] == "mlflow-postgresql-administrator"
    assert told["DB_USERNAME"] == {"configMapKeyRef": {"name": "mlflow-configmap", "key": "DB_USERNAME"}}
    assert told["DB_PASSWORD"]["secretKeyRef"]["name"] == "mlflow-postgresql-credentials"
    for step in (bucket, *others):
        assert variables(step)["PGUSER"] == "$(DB_USERNAME)"
        assert variables(step)["PGPASSWORD"]["secretKeyRef"]["name"] == "mlflow-postgresql-credentials"


def test_accounts_of_before_are_retired_by_the_administrator_once_no_pod_uses_them() -> None:
    deployment = everything()
    made = job(deployment, "retirement")

    step, _ = steps(made)
    *command, seconds = step["command"]
    assert command == ["mlflow-database-account", "retire", "--wait"]
    grace = deployment.only("Deployment").inputs["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert int(seconds) > grace
    assert variables(step)["PGUSER"] == "postgres"
    assert variables(step)["PGPASSWORD"]["secretKeyRef"]["name"] == "mlflow-postgresql-administrator"
    assert deployment.only("Deployment").urn in made.dependencies


@pytest.mark.parametrize("args", [ARGS, EVERYTHING], ids=["least", "most"])
def test_what_keys_of_before_encrypted_is_brought_over_once_no_pod_uses_them(args: TrackingServerArgs) -> None:
    deployment = server(args)
    made = job(deployment, "retirement")

    step = steps(made)[-1]
    *command, seconds = step["command"]
    assert command == ["mlflow-encryption", "--wait"]
    grace = deployment.only("Deployment").inputs["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert int(seconds) > grace
    assert variables(step) == variables(container(deployment))
    assert deployment.only("Deployment").urn in made.dependencies


def test_the_account_postgres_is_neither_made_nor_retired() -> None:
    commands = [step["command"][0] for each in server().all("Job") for step in steps(each)]

    assert sorted(commands) == ["mlflow-bucket", "mlflow-encryption", "mlflow-migrate"]


def test_each_job_has_a_name_of_its_own_since_a_job_cannot_be_changed() -> None:
    jobs = everything().all("Job")

    assert len(jobs) == 2
    assert [each.name for each in jobs if "name" in each.inputs["metadata"]] == []


def test_a_job_that_failed_is_run_again_by_the_next_update() -> None:
    for each in everything().all("Job"):
        assert each.inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"


def test_a_new_image_or_password_is_migrated_to_anew() -> None:
    def template(**changes: Any) -> object:  # noqa: ANN401 - whatever the arguments take
        return job(server(replace(EVERYTHING, **changes)), "migration").inputs["spec"]["template"]

    rotated = replace(OWN_ACCOUNT, user="mlflow-2", password="another")  # noqa: S106 - nobody's

    assert template() == template()
    assert template() != template(image="mlflow-tracking-server:3.18.0")
    assert template() != template(database=rotated)


def test_a_migration_gives_up_waiting_for_the_bucket_and_for_others_long_before_its_job_is_ended() -> None:
    made = job(server(), "migration")

    patience = [int(step["command"][-1]) for step in steps(made)]
    assert len(patience) == 2
    assert sum(patience) <= made.inputs["spec"]["activeDeadlineSeconds"] - 600


def test_a_bucket_that_lets_nobody_in_ends_the_job_at_once() -> None:
    policies = {each.name: each.inputs["spec"].get("podFailurePolicy") for each in server().all("Job")}

    assert policies["mlflow-server-migration"] == {
        "rules": [{"action": "FailJob", "onExitCodes": {"containerName": "bucket", "operator": "In", "values": [1]}}]
    }
    assert policies["mlflow-server-retirement"] is None


def test_a_job_that_does_not_end_is_ended_before_pulumi_gives_up() -> None:
    for each in everything().all("Job"):
        assert each.inputs["spec"]["activeDeadlineSeconds"] == 2400
        assert each.timeouts == {"create": "41m"}
        assert each.inputs["spec"]["backoffLimit"] >= 1


@pytest.mark.parametrize("args", [ARGS, EVERYTHING], ids=["least", "most"])
def test_a_job_is_not_run_again_where_the_cluster_sets_its_cpu(args: TrackingServerArgs) -> None:
    for made in server(args).all("Job"):
        pod = made.inputs["spec"]["template"]["spec"]
        assert set(made.ignored) == {
            f"spec.template.spec.{containers}[*].resources.{kind}.cpu"
            # Of containers that are not there, Pulumi says with each update that it cannot ignore them.
            for containers in ("initContainers", "containers")
            if pod.get(containers)
            for kind in ("requests", "limits")
        }
        for step in steps(made):  # what else a cluster may set, it finds as it wants it
            assert set(step["resources"]["requests"]) == set(step["resources"]["limits"]) == {"cpu", "memory"}
            assert step["resources"]["requests"]["memory"] == step["resources"]["limits"]["memory"]
