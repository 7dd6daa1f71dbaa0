"""The Deployment: how many pods, where they stand, when they count, and how they are replaced."""

import pytest

from tests.unit.server import changed, container, pod, server

POD_LABELS = {"app": "mlflow-tracking-server-pods"}


def test_there_are_as_many_pods_as_were_asked_for() -> None:
    assert server().only("Deployment").inputs["spec"]["replicas"] == 1
    assert changed(replicas=3, max_replicas=3).only("Deployment").inputs["spec"]["replicas"] == 3


def test_with_room_above_an_autoscaler_says_how_many_and_nobody_else() -> None:
    deployment = changed(replicas=2, max_replicas=4)
    scaler = deployment.only("HorizontalPodAutoscaler").inputs["spec"]

    assert "replicas" not in deployment.only("Deployment").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployment.only("Deployment").inputs["metadata"]["name"],
    }
    (metric,) = scaler["metrics"]
    assert metric["resource"]["name"] == "cpu"
    assert 50 <= metric["resource"]["target"]["averageUtilization"] <= 80


@pytest.mark.parametrize("most", [0, 2])
def test_without_room_there_is_no_autoscaler(most: int) -> None:
    assert not changed(replicas=2, max_replicas=most).all("HorizontalPodAutoscaler")


def test_of_two_pods_one_may_be_taken_away_at_a_time() -> None:
    budget = changed(replicas=2).only("PodDisruptionBudget").inputs["spec"]

    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": POD_LABELS}}


@pytest.mark.parametrize("most", [0, 4])
def test_a_single_pod_does_not_keep_its_node_from_being_drained(most: int) -> None:
    assert not changed(replicas=1, max_replicas=most).all("PodDisruptionBudget")


def test_pods_stand_apart_where_they_can_and_start_all_the_same_where_they_cannot() -> None:
    spread = pod(server())["topologySpreadConstraints"]

    assert {each["topologyKey"] for each in spread} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for each in spread:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["maxSkew"] == 1
        assert each["labelSelector"] == {"matchLabels": POD_LABELS}


def test_a_pod_goes_only_after_its_successor_is_ready() -> None:
    spec = server().only("Deployment").inputs["spec"]

    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 60
    assert container(server())["lifecycle"] == {"preStop": {"exec": {"command": ["mlflow-farewell", "5"]}}}


def test_the_server_may_wait_longer_for_its_database_than_it_does() -> None:
    made = container(server())

    assert made["startupProbe"]["periodSeconds"] * made["startupProbe"]["failureThreshold"] >= 180
    assert made["livenessProbe"]["failureThreshold"] > 1
    for probe in ("startupProbe", "livenessProbe"):
        assert made[probe]["httpGet"] == {"path": "/health", "port": 5000}


def test_a_pod_that_has_lost_its_database_takes_no_requests_and_is_not_killed_for_it() -> None:
    made = container(server())

    assert made["readinessProbe"]["exec"] == {"command": ["mlflow-ready", "5000"]}
    assert made["readinessProbe"]["periodSeconds"] * made["readinessProbe"]["failureThreshold"] <= 30
    assert "mlflow-ready" not in str(made["livenessProbe"])
