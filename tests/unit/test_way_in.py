"""How clients reach the server: a port on every node, or an Ingress over TLS."""

import json
from dataclasses import replace

import pytest

from components.kubernetes import HostAddress
from tests.unit.engine import UNKNOWN, Deployment
from tests.unit.server import HOST_ADDRESS, changed, pod, server, unknown

OF_GKE = pytest.mark.parametrize("ingress_class", ["gce", "gce-internal"])
OF_OTHERS = pytest.mark.parametrize("ingress_class", ["nginx", None])
NAME = "mlflow-tracking-server"


def behind(ingress_class: str | None = "nginx", *, address: HostAddress = HOST_ADDRESS) -> Deployment:
    return changed(address=replace(address, ingress_class=ingress_class))


def test_the_service_opens_one_port_on_every_node_to_the_pods() -> None:
    deployment = server()
    service = deployment.only("Service", NAME).inputs["spec"]

    assert service["type"] == "NodePort"
    assert service["selector"] == deployment.only("Deployment").inputs["spec"]["selector"]["matchLabels"]
    assert service["ports"] == [
        {"name": "http", "protocol": "TCP", "port": 5000, "targetPort": 5000, "nodePort": 30001}
    ]


def test_without_a_host_there_is_no_ingress() -> None:
    assert not server().all("Ingress")


def test_the_tracking_uri_is_the_node_and_its_port() -> None:
    outputs = server().outputs

    assert outputs["tracking_uri"].value == "http://192.168.49.2:30001"
    assert outputs["namespace"].value == "mlflow"


def test_the_tracking_uri_is_the_host_over_tls() -> None:
    assert behind().outputs["tracking_uri"].value == "https://mlflow.example.com"


@pytest.mark.parametrize("ingress_class", ["nginx", "gce", "gce-internal", None])
def test_behind_an_ingress_no_port_of_the_nodes_is_open(ingress_class: str | None) -> None:
    service = behind(ingress_class).only("Service", NAME).inputs["spec"]

    assert service["type"] == "ClusterIP"
    assert service["ports"] == [{"name": "http", "protocol": "TCP", "port": 5000, "targetPort": 5000}]


def test_the_ingress_sends_everything_for_its_host_to_the_service() -> None:
    assert behind().only("Ingress", NAME).inputs["spec"]["rules"] == [
        {
            "host": "mlflow.example.com",
            "http": {
                "paths": [
                    {
                        "path": "/",
                        "pathType": "Prefix",
                        "backend": {"service": {"name": NAME, "port": {"number": 5000}}},
                    }
                ]
            },
        }
    ]


@pytest.mark.parametrize("ingress_class", ["nginx", "gce", "gce-internal", None])
def test_the_host_has_a_certificate(ingress_class: str | None) -> None:
    assert behind(ingress_class).only("Ingress", NAME).inputs["spec"]["tls"] == [
        {"hosts": ["mlflow.example.com"], "secretName": "mlflow-tls"}
    ]


@OF_OTHERS
def test_a_controller_is_told_to_take_no_plain_http_and_artifacts_of_any_size(ingress_class: str | None) -> None:
    ingress = behind(ingress_class).only("Ingress", NAME).inputs
    told = ingress["metadata"]["annotations"]

    assert ingress["spec"].get("ingressClassName") == ingress_class
    assert "kubernetes.io/ingress.class" not in told
    assert told["nginx.ingress.kubernetes.io/force-ssl-redirect"] == "true"
    assert told["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
    assert told["nginx.ingress.kubernetes.io/proxy-request-buffering"] == "off"
    assert int(told["nginx.ingress.kubernetes.io/proxy-read-timeout"]) >= 600
    assert int(told["nginx.ingress.kubernetes.io/proxy-send-timeout"]) >= 600


@OF_GKE
def test_gke_s_controller_reads_its_class_from_an_annotation_alone_and_takes_no_plain_http(ingress_class: str) -> None:
    ingress = behind(ingress_class).only("Ingress", NAME).inputs

    assert "ingressClassName" not in ingress["spec"]
    assert ingress["metadata"]["annotations"] == {
        "kubernetes.io/ingress.class": ingress_class,
        "kubernetes.io/ingress.allow-http": "false",
    }


@OF_GKE
def test_gke_s_load_balancer_asks_for_health_where_no_login_is_needed(ingress_class: str) -> None:
    deployment = behind(ingress_class)
    backend = deployment.only("BackendConfig")
    annotations = deployment.only("Service", NAME).inputs["metadata"]["annotations"]

    assert backend.inputs["spec"]["healthCheck"] == {"type": "HTTP", "port": 5000, "requestPath": "/health"}
    assert backend.inputs["spec"]["timeoutSec"] >= 600
    assert backend.inputs["spec"]["connectionDraining"]["drainingTimeoutSec"] >= 60
    assert json.loads(annotations["cloud.google.com/backend-config"]) == {"default": backend.inputs["metadata"]["name"]}
    assert json.loads(annotations["cloud.google.com/neg"]) == {"ingress": True}


@OF_GKE
def test_a_pod_answers_until_gke_s_load_balancer_has_heard_that_it_goes(ingress_class: str) -> None:
    spec = pod(behind(ingress_class))
    program, seconds = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    farewell = int(seconds)

    assert program == "mlflow-farewell"
    assert farewell >= 30
    assert spec["terminationGracePeriodSeconds"] >= farewell + 30


def test_an_ingress_may_take_half_an_hour_to_get_its_address() -> None:
    assert behind("gce").only("Ingress", NAME).timeouts == {"create": "30m", "update": "30m"}


@OF_OTHERS
def test_other_controllers_are_told_nothing_of_gke(ingress_class: str | None) -> None:
    deployment = behind(ingress_class)

    assert not deployment.all("BackendConfig")
    assert "cloud.google.com" not in str(deployment.registrations)


def test_a_certificate_that_is_given_is_a_tls_secret() -> None:
    deployment = changed(address=replace(HOST_ADDRESS, certificate="chain", key="private"))
    secret = deployment.only("Secret", "mlflow-tls")

    assert secret.inputs["type"] == "kubernetes.io/tls"
    assert secret.inputs["stringData"] == {"tls.crt": "chain", "tls.key": "private"}
    assert "stringData" in secret.secrets
    assert secret.urn in deployment.only("Ingress", NAME).dependencies


def test_a_key_that_is_not_known_yet_stays_unknown() -> None:
    deployment = changed(address=replace(HOST_ADDRESS, certificate="chain", key=unknown()))

    assert deployment.only("Secret", "mlflow-tls").inputs["stringData"] == UNKNOWN


def test_without_a_certificate_somebody_else_keeps_the_secret() -> None:
    secrets = [each for each in behind().all("Secret") if each.custom]

    assert secrets
    assert "mlflow-tls" not in {each.inputs["metadata"]["name"] for each in secrets}


@pytest.mark.parametrize(("ingress_class", "warned"), [("gce", True), ("gce-internal", False), ("nginx", False)])
def test_a_server_that_is_open_to_the_internet_is_warned_of(
    ingress_class: str,
    warned: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    behind(ingress_class)

    assert [record.levelname for record in caplog.records if "gce-internal" in record.message] == ["WARNING"] * warned
