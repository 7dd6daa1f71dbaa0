"""A server that has lost its database is not asked, and not ended either: the database may come back."""

import json
from collections.abc import Generator
from contextlib import contextmanager

from local.process import wait_for
from tests.production.rehearsal import Rehearsal


@contextmanager
def without_database(rehearsal: Rehearsal) -> Generator[None]:
    """Keep the pods from their database while the block runs."""
    route = (*rehearsal.in_node(), "ip", "route")
    nowhere = ("unreachable", f"{rehearsal.outputs()['database_host']}/32")
    rehearsal.project.output(*route, "add", *nowhere)
    try:
        yield
    finally:
        rehearsal.project.output(*route, "delete", *nowhere)


def ready(rehearsal: Rehearsal) -> int:
    """Return how many addresses the Service sends requests to."""
    slices = json.loads(
        rehearsal.kubectl(
            "get", "endpointslices", "--selector", "kubernetes.io/service-name=mlflow-tracking-server", "-o", "json"
        )
    )["items"]
    endpoints = [endpoint for each in slices for endpoint in each["endpoints"] or []]
    return sum(endpoint["conditions"]["ready"] for endpoint in endpoints)


def restarts(rehearsal: Rehearsal) -> dict[str, int]:
    """Return how often each container of the server's pods was started again."""
    words = ("get", "pods", "--selector", "app=mlflow-tracking-server-pods", "--output", "json")
    pods = json.loads(rehearsal.kubectl(*words))["items"]
    return {
        f"{pod['metadata']['name']}/{container['name']}": container["restartCount"]
        for pod in pods
        for container in pod["status"]["containerStatuses"]
    }


def test_a_pod_without_its_database_gets_no_requests_until_it_is_back(rehearsal: Rehearsal) -> None:
    wait_for(rehearsal.settled, what="all pods to be ready", deadline=180)
    before = restarts(rehearsal)

    with without_database(rehearsal):
        wait_for(lambda: ready(rehearsal) == 0, what="no pod to be asked", deadline=90)
    wait_for(rehearsal.settled, what="all pods to be ready again", deadline=90)

    assert before.items() <= restarts(rehearsal).items()
