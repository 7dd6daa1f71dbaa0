"""What somebody changes behind Pulumi's back is found, named, and mended."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from google.cloud import storage

from local.process import wait_for
from tests.production.admission import lowering_limits
from tests.production.rehearsal import PROJECT_ID, STACK, Rehearsal

DEPLOYMENT = "deployment/mlflow-tracking-server"
STOLEN = "what somebody else knows"


def drift(rehearsal: Rehearsal, stack: str = STACK) -> subprocess.CompletedProcess[str]:
    """Return what people are told, whatever the status; make tells the verb's own."""
    return rehearsal.project.run("make", "--silent", "drift", f"STACK={stack}")


def open_network(rehearsal: Rehearsal) -> None:
    url = f"{rehearsal.instance.gcp_endpoint}/sql/v1beta4/projects/{PROJECT_ID}/instances/mlflow-tracking"
    network = {"authorizedNetworks": [{"name": "mine", "value": "0.0.0.0/0"}]}
    httpx.patch(url, json={"settings": {"ipConfiguration": network}}).raise_for_status()


def remove_label(rehearsal: Rehearsal) -> None:
    with storage.Client(project=PROJECT_ID) as client:
        bucket = client.get_bucket(rehearsal.outputs()["artifact_root"].removeprefix("gs://"))
        bucket.labels = {}
        bucket.patch()


def scale(rehearsal: Rehearsal) -> None:
    rehearsal.kubectl("scale", DEPLOYMENT, "--replicas", "0")


def edit_secret(rehearsal: Rehearsal) -> None:
    patch = f'{{"stringData": {{"postgresql-password": "{STOLEN}"}}}}'
    rehearsal.kubectl("patch", "secret", "mlflow-postgresql-credentials", "--patch", patch)


def hold_off(rehearsal: Rehearsal) -> None:
    rehearsal.kubectl("patch", "cronjob", "mlflow-garbage-collection", "--patch", '{"spec": {"suspend": true}}')


CHANGES: list[tuple[Callable[[Rehearsal], None], str]] = [
    (open_network, "DatabaseInstance mlflow-tracking: settings.ipConfiguration.authorizedNetworks is "),
    (remove_label, "Bucket team-project-mlflow-artefacts: labels.app is "),
    (scale, "Deployment mlflow-tracking-server: spec.replicas is 0 and should be 2 to 3"),
    (hold_off, "CronJob mlflow-garbage-collection: spec.suspend is true and should be false"),
    (edit_secret, "Secret mlflow-postgresql-credentials: data.postgresql-password is not what it should be (secret)"),
]


@pytest.fixture
def drifted(rehearsal: Rehearsal) -> Rehearsal:
    """The stack after all of it, which was as it should be before."""
    wait_for(rehearsal.settled, what="the autoscaler's pods", deadline=180)
    assert "no difference" in drift(rehearsal).stderr
    for change, _ in CHANGES:
        change(rehearsal)
    return rehearsal


def test_everything_that_drifted_is_named_without_a_secret_and_mended_by_the_next_update(drifted: Rehearsal) -> None:
    found = drift(drifted)

    assert "Error 1" in found.stderr
    lines = found.stdout.splitlines()
    for _, expected in CHANGES:
        assert any(line.startswith(expected) for line in lines), found.stdout
    assert len(lines) == len(CHANGES), found.stdout
    assert STOLEN not in found.stdout + found.stderr

    drifted.project.output("pulumi", "up", "--refresh", "--yes", "--skip-preview", "--stack", STACK)

    (autoscaled,) = drift(drifted).stdout.splitlines()
    assert autoscaled.startswith("Deployment mlflow-tracking-server: spec.replicas is 0")
    assert "`python -m operations start --stack prod` mends it" in autoscaled

    drifted.deploy()

    assert "no difference" in drift(drifted).stderr


def test_what_the_cluster_made_of_the_last_deployment_is_no_drift_and_runs_no_job_again(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    state = json.loads(rehearsal.project.output("pulumi", "stack", "export", "--stack", STACK))
    (job,) = [each["urn"] for each in state["deployment"]["resources"] if each["urn"].endswith("-retirement")]
    with lowering_limits(rehearsal, tmp_path):
        rehearsal.kubectl("delete", "cronjob", "mlflow-garbage-collection")
        options = ("--refresh", "--yes", "--skip-preview", "--stack", STACK)
        rehearsal.project.output("pulumi", "up", *options, "--replace", job)
        jobs = rehearsal.kubectl("get", "jobs", "--output", "name")
        limits = "jsonpath={..resources.limits.cpu}"
        assert rehearsal.kubectl("get", "cronjob", "mlflow-garbage-collection", "--output", limits) == "100m"

        assert "no difference" in drift(rehearsal).stderr
        rehearsal.deploy()
        assert rehearsal.kubectl("get", "jobs", "--output", "name") == jobs

        request = '[{"op": "replace", "path": "%s/resources/requests/cpu", "value": "200m"}]'
        path = "/spec/jobTemplate/spec/template/spec/containers/0"
        rehearsal.kubectl("patch", "cronjob", "mlflow-garbage-collection", "--type=json", "--patch", request % path)
        assert 'resources.requests.cpu is "200m" and should be "100m"' in drift(rehearsal).stdout
    rehearsal.deploy()


def test_what_cannot_be_found_out_is_an_error_and_no_drift(rehearsal: Rehearsal) -> None:
    done = drift(rehearsal, "nothing")

    assert "Error 2" in done.stderr
    assert "nothing" in done.stderr
    assert not done.stdout
