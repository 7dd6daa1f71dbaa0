"""The server's command line: artifacts, workers, and who is answered."""

from urllib.parse import parse_qsl, urlsplit

from tests.unit.server import HOST_ADDRESS, changed, container, option, server

WITHIN = [
    "mlflow-tracking-server",
    "mlflow-tracking-server:5000",
    "mlflow-tracking-server.mlflow",
    "mlflow-tracking-server.mlflow:5000",
    "mlflow-tracking-server.mlflow.svc",
    "mlflow-tracking-server.mlflow.svc:5000",
    "mlflow-tracking-server.mlflow.svc.cluster.local",
    "mlflow-tracking-server.mlflow.svc.cluster.local:5000",
    "localhost",
    "localhost:*",
    "127.0.0.1",
    "127.0.0.1:*",
]


def test_artifacts_pass_through_the_server() -> None:
    deployment = server()

    assert option(deployment, "--artifacts-destination") == "$(DEFAULT_ARTIFACT_ROOT)"
    assert "--default-artifact-root" not in container(deployment)["command"]


def test_clients_use_the_bucket_themselves_for_new_experiments_where_access_is_direct() -> None:
    deployment = changed(artifact_access="direct")

    assert option(deployment, "--default-artifact-root") == "$(DEFAULT_ARTIFACT_ROOT)"


def test_existing_experiments_go_on_through_the_server_where_access_becomes_direct() -> None:
    deployment = changed(artifact_access="direct")

    assert option(deployment, "--artifacts-destination") == "$(DEFAULT_ARTIFACT_ROOT)"
    assert "--no-serve-artifacts" not in container(deployment)["command"]


def test_the_server_answers_on_its_port_with_its_workers() -> None:
    deployment = changed(workers=2)

    assert container(deployment)["command"][0] == "mlflow-serve"
    assert option(deployment, "--host") == "0.0.0.0"  # noqa: S104
    assert option(deployment, "--port") == "5000"
    assert option(deployment, "--workers") == "2"


def test_the_server_keeps_connections_for_longer_than_google_s_load_balancer_does() -> None:
    name, seconds = option(server(), "--uvicorn-opts").split()

    assert name == "--timeout-keep-alive"
    assert int(seconds) > 600


def test_the_server_gives_up_on_a_database_that_goes_silent() -> None:
    place = urlsplit(option(server(), "--backend-store-uri"))
    limits = {name: int(value) for name, value in parse_qsl(place.query)}

    assert (place.scheme, place.netloc) == ("postgresql+psycopg2", "")
    assert 0 < limits["connect_timeout"] <= 10
    assert 0 < limits["tcp_user_timeout"] <= 10_000
    assert limits["keepalives_idle"] + limits["keepalives_interval"] * limits["keepalives_count"] <= 20


def test_the_server_answers_the_node_the_cluster_and_localhost_and_nobody_else() -> None:
    hosts = option(server(), "--allowed-hosts").split(",")

    assert hosts == ["192.168.49.2", "192.168.49.2:30001", *WITHIN]


def test_behind_an_ingress_the_server_answers_its_host_the_cluster_and_localhost_and_nobody_else() -> None:
    hosts = option(changed(address=HOST_ADDRESS), "--allowed-hosts").split(",")

    assert hosts == ["mlflow.example.com", "mlflow.example.com:443", *WITHIN]


def test_pages_of_the_server_itself_may_change_things() -> None:
    assert option(server(), "--cors-allowed-origins") == "http://192.168.49.2:30001"
    assert option(changed(address=HOST_ADDRESS), "--cors-allowed-origins") == "https://mlflow.example.com"


def test_people_log_in_where_there_are_users() -> None:
    assert option(changed(users=True), "--app-name") == "kubernetes-basic-auth"
    assert option(changed(users=False), "--app-name") == "kubernetes"


def test_the_server_counts_its_requests_only_where_metrics_are_asked_for() -> None:
    assert option(changed(metrics=True), "--expose-prometheus") == "/var/metrics"
    assert "--expose-prometheus" not in container(server())["command"]
