"""What pods use is known, and their number follows from it; policies of the network are taken."""

import contextlib
import http.client
import json
import ssl
import threading
from collections.abc import Generator, Iterator

import pytest

from local.node.layout import METRICS_PORT, Layout
from tests.node import sites, workload
from tests.node.conftest import Cluster, eventually

NAMESPACE = "busy"


@pytest.fixture(scope="module")
def busy(cluster: Cluster) -> Iterator[Cluster]:
    """One pod behind a node port, and what makes it three when it has much to do."""
    target = {"type": "Utilization", "averageUtilization": 50}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pods"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    }
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *sites.pods(1, NAMESPACE, type="NodePort"),
        sites.named("HorizontalPodAutoscaler", "pods", "autoscaling/v2", NAMESPACE, spec=spec),
    )
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/pods", "--timeout=60s")
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def replicas(cluster: Cluster) -> int:
    return int(cluster.kubectl("-n", NAMESPACE, "get", "deployment", "pods", "-o", "jsonpath={.spec.replicas}"))


@contextlib.contextmanager
def load(cluster: Cluster) -> Generator[None]:
    """Keep the pods busy."""
    path = "jsonpath={.spec.ports[0].nodePort}"
    port = int(cluster.kubectl("-n", NAMESPACE, "get", "service", "pods", "-o", path))
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection(cluster.instance.node_address, port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", "/health")
                connection.getresponse().read()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_the_use_of_the_node_and_of_a_pod_is_told(busy: Cluster) -> None:
    def told(*words: str) -> bool:
        said = busy.try_kubectl("top", *words, "--no-headers")
        return said.returncode == 0 and len(said.stdout.splitlines()) == 1

    eventually(lambda: told("nodes"), "the node's use is told")
    eventually(lambda: told("pods", "-n", NAMESPACE), "the pod's use is told")


def test_the_way_to_the_metrics_is_checked_at_each_step(busy: Cluster) -> None:
    service = json.loads(busy.kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "-o", "json"))

    assert service["spec"]["caBundle"]
    assert not service["spec"].get("insecureSkipTLSVerify")


def test_metrics_are_not_told_to_strangers(busy: Cluster) -> None:
    trust = ssl.create_default_context(cafile=Layout(busy.instance).pki / "ca.crt")
    trust.check_hostname = False  # it goes by the Service's name
    connection = http.client.HTTPSConnection(busy.instance.node_address, METRICS_PORT, context=trust, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes", headers={"X-Remote-User": "system:admin"})

        assert connection.getresponse().status in {http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN}


def test_pods_become_more_under_load_and_one_again_after_it(busy: Cluster) -> None:
    assert replicas(busy) == 1
    with load(busy):
        eventually(lambda: replicas(busy) > 1, "a second pod", seconds=90)

    eventually(lambda: replicas(busy) == 1, "one pod again", seconds=120)


def test_a_network_policy_is_taken(busy: Cluster) -> None:
    nobody = {"podSelector": {"matchLabels": workload.SELECTOR}, "policyTypes": ["Ingress", "Egress"]}
    busy.apply(sites.named("NetworkPolicy", "nobody", "networking.k8s.io/v1", NAMESPACE, spec=nobody))

    assert busy.kubectl("-n", NAMESPACE, "get", "networkpolicies", "-o", "name").split() == [
        "networkpolicy.networking.k8s.io/nobody"
    ]
