"""What Prometheus finds: a port of the pods to which no way leads from outside the cluster."""

from typing import Any

from tests.unit.engine import Deployment
from tests.unit.server import changed, everything, option, pod, server


def annotations(deployment: Deployment) -> dict[str, str]:
    return deployment.only("Deployment").inputs["spec"]["template"]["metadata"]["annotations"]


def metrics(deployment: Deployment) -> dict[str, Any]:
    """Return the container that serves the metrics."""
    (found,) = [each for each in pod(deployment)["containers"] if each["name"] == "metrics"]
    return found


def test_prometheus_is_told_the_port_of_every_pod() -> None:
    deployment = changed(metrics=True)
    (port,) = metrics(deployment)["ports"]

    assert {name: value for name, value in annotations(deployment).items() if name.startswith("prometheus.io/")} == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }


def test_what_the_server_writes_is_what_is_served() -> None:
    deployment = changed(metrics=True)
    (port,) = metrics(deployment)["ports"]

    assert metrics(deployment)["command"] == [
        "mlflow-metrics",
        option(deployment, "--expose-prometheus"),
        str(port["containerPort"]),
    ]


def test_no_service_and_no_ingress_leads_to_the_metrics() -> None:
    deployment = everything()
    (port,) = metrics(deployment)["ports"]

    for kind in ("Service", "Ingress"):
        spec = deployment.only(kind, "mlflow-tracking-server").inputs["spec"]
        assert str(port["containerPort"]) not in str(spec)
        assert "metrics" not in str(spec)


def test_nothing_is_measured_unless_asked_for() -> None:
    deployment = server()

    assert [each["name"] for each in pod(deployment)["containers"]] == ["mlflow-tracking-server-pod"]
    assert not [name for name in annotations(deployment) if name.startswith("prometheus.io/")]


def test_what_answers_strangers_is_told_no_secret() -> None:
    made = metrics(everything())

    assert "env" not in made
    assert [mount["name"] for mount in made["volumeMounts"]] == ["metrics"]
