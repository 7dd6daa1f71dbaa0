"""The way in by name: nginx, as it is configured from Ingresses in the rehearsal's cluster."""

import threading
from collections.abc import Callable, Generator, Iterator

import pytest

from local.process import wait_for
from tests.production.conftest import LATE_SECONDS
from tests.production.ingress import sites, web
from tests.production.ingress.sites import NAMESPACE
from tests.production.ingress.way_in import HOST, OTHER, PODS_HOST, Cluster, WayIn, steady_posts
from tests.production.rehearsal import Rehearsal

MIB = 2**20


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until `condition` holds."""
    wait_for(condition, what=what, deadline=seconds)


@pytest.fixture(scope="module")
def cluster(rehearsal: Rehearsal) -> Cluster:
    """The rehearsal's cluster."""
    return Cluster(rehearsal.project, rehearsal.instance)


@pytest.fixture(scope="module")
def way_in(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WayIn]:
    """HOST leads to a server on this machine, PODS_HOST to two pods."""
    folder, address = tmp_path_factory.mktemp("certificates"), cluster.instance.node_address
    machine, pods = web.key_pair(folder, HOST), web.key_pair(folder, PODS_HOST)
    with web.backend(cluster.instance.host_address) as backend:
        cluster.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            sites.secret_of(HOST, machine),
            sites.secret_of(PODS_HOST, pods),
            *sites.machine(cluster.instance.host_address, backend.port),
            *sites.pods(2),
            sites.ingress("machine", HOST, proxy_body_size="0", proxy_request_buffering="off"),
            sites.ingress("pods", PODS_HOST),
        )
        cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/pods", "--timeout=60s")
        made = WayIn(
            cluster,
            backend,
            web.Site(address, HOST, machine.certificate),
            web.Site(address, PODS_HOST, pods.certificate),
            folder,
        )
        eventually(lambda: bool(made.address_of("machine") and made.address_of("pods")), "both have an address")
        yield made
        backend.released.set()
        cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def test_the_status_names_the_node_and_the_host_is_served_by_then(way_in: WayIn) -> None:
    assert way_in.address_of("machine") == way_in.address
    assert way_in.machine.get().status == 200


def test_a_service_hears_how_it_was_asked_for(way_in: WayIn) -> None:
    said = way_in.machine.get("/a%20b?c=d").json()

    assert said["path"] == "/a%20b?c=d"
    assert said["headers"]["host"] == HOST
    assert {name: text for name, text in said["headers"].items() if name.startswith("x-")} == {
        "x-forwarded-for": way_in.cluster.instance.host_address,
        "x-forwarded-host": HOST,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-real-ip": way_in.cluster.instance.host_address,
    }


def test_over_plain_http_nothing_is_served_but_the_way_to_https(way_in: WayIn) -> None:
    answer = web.ask_plainly(way_in.address, HOST, "/a?b=c")

    assert (answer.status, answer.headers["location"]) == (308, f"https://{HOST}/a?b=c")


def test_an_unknown_host_is_not_served(way_in: WayIn) -> None:
    assert web.ask_plainly(way_in.address, OTHER).status == 404
    assert way_in.refused(OTHER)


@pytest.mark.parametrize(
    ("may", "what"),
    [
        ("yes", "list secrets"),
        ("yes", "patch ingresses --subresource=status"),
        ("no", "patch ingresses"),
        ("no", "delete secrets"),
        ("no", "list pods"),
    ],
)
def test_its_account_may_read_what_it_serves_and_say_so_and_nothing_else(cluster: Cluster, may: str, what: str) -> None:
    asked = ["auth", "can-i", *what.split(), "--all-namespaces", "--as", "mlflow-local:ingress"]

    assert cluster.project.run("kubectl", *asked).stdout.strip() == may


def test_a_path_leads_to_its_own_service(way_in: WayIn) -> None:
    way_in.cluster.apply(sites.ingress("path", HOST, service="pods", path="/health", kind="Exact"))
    eventually(lambda: way_in.machine.get("/health").body == b"OK", "the path leads to the pods")

    assert way_in.machine.get("/health/more").json()["path"] == "/health/more"
    way_in.kubectl("delete", "ingress", "path")
    eventually(lambda: way_in.machine.get("/health").body != b"OK", "the path leads there no longer")


def test_an_upload_arrives_whole_and_while_it_is_sent(way_in: WayIn) -> None:
    def body() -> Generator[bytes]:
        yield bytes(MIB)
        assert way_in.backend.begun.wait(10), "nothing arrived before all was sent"
        for _ in range(19):
            yield bytes(MIB)

    way_in.backend.begun.clear()
    answer = way_in.machine.post("/upload", body())

    assert (answer.status, answer.json()["received"]) == (200, 20 * MIB)


def test_an_annotation_limits_uploads(way_in: WayIn) -> None:
    way_in.cluster.apply(sites.ingress("limited", HOST, service="machine", path="/limited", proxy_body_size="2m"))
    eventually(lambda: way_in.machine.post("/limited", bytes(2 * MIB + 1)).status == 413, "a larger body is refused")

    assert way_in.machine.post("/limited", bytes(2 * MIB)).json()["received"] == 2 * MIB

    way_in.kubectl("delete", "ingress", "limited")


def test_a_renewed_certificate_is_shown_and_ends_no_request_under_way(way_in: WayIn) -> None:
    answers: list[web.Answer] = []
    way_in.backend.begun.clear()
    asking = threading.Thread(target=lambda: answers.append(way_in.machine.get("/slow")))
    asking.start()
    assert way_in.backend.begun.wait(10)
    first = way_in.machine.trust
    renewed = web.key_pair(way_in.folder, HOST, "renewed")

    way_in.cluster.apply(sites.secret_of(HOST, renewed))
    eventually(lambda: way_in.shows(renewed.certificate), "the renewed one is shown", seconds=5)
    way_in.backend.released.set()
    asking.join()

    assert [answer.status for answer in answers] == [200]
    way_in.cluster.apply(sites.secret_of(HOST, web.KeyPair(first, first.with_suffix(".key"))))
    eventually(lambda: way_in.shows(first), "the first one is shown again", seconds=5)


def test_a_broken_secret_takes_down_its_own_host_alone(way_in: WayIn) -> None:
    pair = web.key_pair(way_in.folder, OTHER)
    way_in.cluster.apply(
        sites.secret(OTHER, b"no certificate", b"no key"), sites.ingress("other", OTHER, service="machine")
    )

    def events() -> str:
        return way_in.kubectl("get", "events", "--field-selector=involvedObject.name=other")

    eventually(lambda: f'cannot load certificate "{NAMESPACE}_{OTHER}.crt"' in events(), "an Event says why")
    assert way_in.refused(OTHER)
    assert web.ask_plainly(way_in.address, OTHER).status == 404
    assert way_in.machine.get().status == 200

    way_in.cluster.apply(sites.secret_of(OTHER, pair))
    eventually(lambda: not way_in.refused(OTHER), "it is served once its Secret is whole", seconds=5)
    assert web.Site(way_in.address, OTHER, pair.certificate).get().status == 200
    late = int(LATE_SECONDS) + 5
    eventually(lambda: way_in.address_of("other") == way_in.address, "its status says so", seconds=late)


def test_a_connection_to_a_service_is_kept(way_in: WayIn) -> None:
    server = way_in.backend
    server.ages.clear()
    server.connections = 0

    with steady_posts(way_in.machine, clients=1):
        eventually(lambda: max(server.ages, default=0) > 5, "a connection is used that is older than 5 seconds")

    assert server.connections <= 1


def test_pods_are_reached_by_their_service(way_in: WayIn) -> None:
    assert way_in.pods.get("/health").status == 200
