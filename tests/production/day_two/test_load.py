"""Nobody at work notices that pods come and go."""

import json
from functools import partial
from pathlib import Path

from local.process import wait_for
from tests.production.load import Load, constant_load, lost
from tests.production.rehearsal import STACK, Rehearsal


def check(load: Load, authority: Path, password: str) -> None:
    """Hold what clients met against what they may meet."""
    assert load.failures == []
    assert load.refused == []
    assert lost(load, authority, password) == []


def test_a_rolling_update_fails_no_request(rehearsal: Rehearsal, authority: Path, password: str) -> None:
    before = rehearsal.pods()

    with constant_load(authority, password) as load:
        rehearsal.kubectl("rollout", "restart", "deployment/mlflow-tracking-server")
        wait_for(lambda: not before & rehearsal.pods() and rehearsal.settled(), what="new pods alone", deadline=180)

    check(load, authority, password)


def test_scaling_from_one_to_three_and_back_fails_no_request(
    rehearsal: Rehearsal, authority: Path, password: str
) -> None:
    def scale(number: int) -> None:
        rehearsal.change_settings({"mlflow:replicas": str(number), "mlflow:maxReplicas": "0"})
        # Policies want two pods at least.
        rehearsal.project.output("pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", STACK)
        wait_for(lambda: rehearsal.settled(number), what=f"{number} pods", deadline=180)

    rehearsal.change_settings({"mlflow:maxReplicas": "0"})
    rehearsal.deploy()  # until its end the autoscaler may have the last word; what it said is mended by the next one
    scale(1)
    with constant_load(authority, password) as load:
        scale(3)
        scale(1)
    rehearsal.change_settings({"mlflow:replicas": "2", "mlflow:maxReplicas": "3"})
    rehearsal.deploy()
    wait_for(rehearsal.settled, what="the autoscaler's pods", deadline=180)

    check(load, authority, password)


def test_evicting_every_pod_one_after_the_other_fails_no_request(
    rehearsal: Rehearsal, authority: Path, password: str
) -> None:
    before = rehearsal.pods()

    def evicted(pod: str) -> bool:
        name = pod.removeprefix("pod/")
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": "mlflow"},
        }
        path = f"/api/v1/namespaces/mlflow/pods/{name}/eviction"
        done = rehearsal.project.run("kubectl", "create", "--raw", path, "--filename", "-", stdin=json.dumps(eviction))
        assert done.returncode == 0 or "disruption budget" in done.stderr, done.stderr
        return done.returncode == 0

    with constant_load(authority, password) as load:
        for pod in sorted(before):
            wait_for(partial(evicted, pod), what=f"the budget to let {pod} go", deadline=180)
        wait_for(lambda: not before & rehearsal.pods() and rehearsal.settled(), what="new pods alone", deadline=180)

    check(load, authority, password)
