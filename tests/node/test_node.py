"""A real node, from its first start to its removal; the tests build on one another, in this order."""

import contextlib
import http.client
import ipaddress
import json
import os
import signal
import ssl
import threading
from collections.abc import Generator, Iterator

import pytest

from local.node import node
from local.node.layout import Layout
from tests.node import dns, machine, workload
from tests.node.conftest import Cluster, eventually

DNS_SERVICE = "kube-dns.kube-system.svc.cluster.local"


def web_status(cluster: Cluster) -> int:
    """Return the workload's answer on its node port, 0 when there is none."""
    connection = http.client.HTTPConnection(cluster.instance.node_address, workload.WEB_PORT, timeout=3)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def resolve(cluster: Cluster, name: str) -> tuple[int, list[str]]:
    """Let the pod ask for a name."""
    return dns.ask(cluster.instance.node_address, workload.DNS_PORT, name)


def pod_names(cluster: Cluster) -> list[str]:
    """Return the workload's pods, those that are ending included."""
    return cluster.kubectl("-n", workload.NAMESPACE, "get", "pods", "-l", "app=probe", "-o", "name").split()


def pids(cluster: Cluster) -> dict[str, int]:
    found = node.status(cluster.instance).pids
    assert None not in found.values(), f"not all programs run: {found}"
    return {name: pid for name, pid in found.items() if pid is not None}


@contextlib.contextmanager
def steady_requests(cluster: Cluster) -> Generator[list[int]]:
    """Ask the node port again and again; give the growing list of answers."""
    answers: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.01):
            answers.append(web_status(cluster))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def askers(cluster: Cluster) -> Iterator[dict[str, list[str]]]:
    """The workload runs; servers on the host's end of the link and on a Cloud SQL address note who asks them."""
    sql_address = str(ipaddress.ip_network(cluster.instance.sql_addresses)[5])
    with dns.server(cluster.instance.host_address) as host, dns.server(sql_address) as sql:
        zones = {"host.test": (cluster.instance.host_address, host[0]), "sql.test": (sql_address, sql[0])}
        cluster.apply(*workload.objects(zones))
        cluster.kubectl("-n", workload.NAMESPACE, "rollout", "status", "deployment/probe", "--timeout=60s")
        yield {"host.test": host[1], "sql.test": sql[1]}


def test_the_node_is_ready_after_up(cluster: Cluster) -> None:
    said = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"]

    conditions = {condition["type"]: condition["status"] for condition in said[0]["status"]["conditions"]}
    assert (len(said), conditions["Ready"]) == (1, "True")
    assert node.status(cluster.instance).ready


def test_the_kubeconfig_is_private_and_names_its_context(cluster: Cluster) -> None:
    file = node.kubeconfig(cluster.instance)

    assert file.stat().st_mode & 0o777 == 0o600
    assert cluster.kubectl("config", "current-context").strip() == "mlflow-local"
    assert f"https://{cluster.instance.node_address}:6443" in file.read_text()


@pytest.mark.parametrize(("port", "path"), [(6443, "/api"), (6443, "/readyz"), (10250, "/pods"), (10250, "/healthz")])
def test_nobody_gets_in_without_a_certificate(cluster: Cluster, port: int, path: str) -> None:
    trust = ssl.create_default_context(cafile=Layout(cluster.instance).pki / "ca.crt")
    connection = http.client.HTTPSConnection(cluster.instance.node_address, port, context=trust, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()

        assert answer.status == http.HTTPStatus.UNAUTHORIZED, answer.read()


def test_a_restricted_pod_from_a_scratch_image_runs_and_answers_on_its_node_port(
    cluster: Cluster, askers: dict[str, list[str]]
) -> None:
    assert askers
    eventually(lambda: web_status(cluster) == 200, "the node port answers 200")


def test_a_pod_that_is_not_restricted_is_refused(cluster: Cluster, askers: dict[str, list[str]]) -> None:
    assert askers
    said = cluster.try_kubectl("-n", workload.NAMESPACE, "run", "root", f"--image={workload.IMAGE}")

    assert said.returncode != 0
    assert "violates PodSecurity" in said.stderr


def test_names_of_the_cluster_resolve_in_a_pod(cluster: Cluster, askers: dict[str, list[str]]) -> None:
    assert askers
    assert resolve(cluster, DNS_SERVICE) == (dns.NO_ERROR, ["10.96.0.10"])


def test_names_elsewhere_do_not_exist(cluster: Cluster, askers: dict[str, list[str]]) -> None:
    assert askers
    assert resolve(cluster, "metadata.google.internal") == (dns.NO_SUCH_NAME, [])


@pytest.mark.parametrize("zone", ["host.test", "sql.test"])
def test_a_pod_reaches_servers_on_this_machine_as_the_node(
    cluster: Cluster, askers: dict[str, list[str]], zone: str
) -> None:
    assert resolve(cluster, f"name.{zone}") == (dns.NO_ERROR, [dns.ANSWER])
    assert set(askers[zone]) == {cluster.instance.node_address}


def test_logs_exec_and_jobs_work(cluster: Cluster, askers: dict[str, list[str]]) -> None:
    assert askers
    cluster.apply(workload.job())
    cluster.kubectl("-n", workload.NAMESPACE, "wait", "--for=condition=Complete", "job/probe", "--timeout=30s")

    assert "CoreDNS-1.12.4" in cluster.kubectl("-n", workload.NAMESPACE, "logs", "job/probe")
    assert "CoreDNS-1.12.4" in cluster.kubectl(
        "-n", workload.NAMESPACE, "exec", "deployment/probe", "--", "/coredns", "-version"
    )


def test_a_rolling_restart_fails_no_request(cluster: Cluster, askers: dict[str, list[str]]) -> None:
    assert askers
    with steady_requests(cluster) as answers:
        cluster.kubectl("-n", workload.NAMESPACE, "rollout", "restart", "deployment/probe")
        cluster.kubectl("-n", workload.NAMESPACE, "rollout", "status", "deployment/probe", "--timeout=60s")
        eventually(lambda: len(pod_names(cluster)) == 1, "the old pod ends")

    assert set(answers) == {200}, f"{sum(answer != 200 for answer in answers)} of {len(answers)} requests failed"


def test_a_second_up_starts_nothing(cluster: Cluster) -> None:
    before = pids(cluster)

    assert cluster.up() < 5
    assert pids(cluster) == before


@pytest.mark.parametrize(
    "victims", [["kubelet", "containerd", "etcd"], ["metrics-server", "nginx", "ingress"], ["node-namespace"]]
)
def test_up_mends_what_was_killed(cluster: Cluster, askers: dict[str, list[str]], victims: list[str]) -> None:
    assert askers
    before = pids(cluster)
    for victim in victims:
        os.kill(before[victim], signal.SIGKILL)
    eventually(lambda: not any(node.status(cluster.instance).pids[victim] for victim in victims), "they end")

    cluster.up()

    assert all(pids(cluster)[victim] != before[victim] for victim in victims)
    eventually(lambda: web_status(cluster) == 200, "the node port answers again")


def test_a_stop_leaves_the_disk_alone_and_a_start_brings_all_back(
    cluster: Cluster, askers: dict[str, list[str]]
) -> None:
    assert askers
    node.down(cluster.instance)

    files = {line for line in machine.trace(cluster.instance.name) if line.startswith("/var/lib/mlflow-local/")}
    assert machine.trace(cluster.instance.name) - files == cluster.before
    assert cluster.up() < 30
    eventually(lambda: web_status(cluster) == 200, "the node port answers again")


def test_purge_after_a_crash_leaves_nothing(cluster: Cluster) -> None:
    running = pids(cluster)
    for victim in ("kube-apiserver", "containerd", "node-namespace"):
        os.kill(running[victim], signal.SIGKILL)

    node.purge(cluster.instance)

    assert machine.trace(cluster.instance.name) == cluster.before
