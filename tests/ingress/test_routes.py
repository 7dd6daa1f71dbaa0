"""What an Ingress is read as, and what is refused, with its reason."""

from typing import Any

import pytest
from lightkube.resources.core_v1 import Service
from lightkube.resources.networking_v1 import Ingress

from local.ingress import routes
from local.ingress.routes import BODY_SIZE, BUFFERING, PREFIX, READ_TIMEOUT, SEND_TIMEOUT, RefusedError
from local.ingress.sites import Limits
from tests.ingress.objects import ingress, objects, path, secret, service


def upstreams(wanted: Ingress, *things: Service) -> list[str | None]:
    return [at.upstream for found in routes.site(wanted, objects(*things)).hosts.values() for at in found]


def test_a_path_leads_to_the_address_of_its_service() -> None:
    made = routes.site(ingress("shop.example", paths={"/a": "Exact", "/b": "Prefix"}), objects(service()))

    assert [(at.path, at.exact, at.upstream) for at in made.hosts["shop.example"]] == [
        ("/a", True, "10.96.0.7:80"),
        ("/b", False, "10.96.0.7:80"),
    ]
    assert made.certificates == {}


@pytest.mark.parametrize(
    ("port", "upstream"),
    [
        ({"number": 80}, "10.96.0.7:80"),
        ({"name": "http"}, "10.96.0.7:80"),
        ({"number": 81}, None),
        ({"name": "x"}, None),
    ],
)
def test_a_port_is_meant_by_number_or_name(port: dict[str, Any], upstream: str | None) -> None:
    rules = [{"host": "shop.example", "http": {"paths": [path("/", port=port)]}}]

    assert upstreams(ingress(rules=rules), service()) == [upstream]


def test_a_service_that_is_not_there_yet_refuses_nothing() -> None:
    assert upstreams(ingress("shop.example")) == [None]


def test_a_certificate_belongs_to_the_hosts_that_are_named_or_to_all() -> None:
    for named, expected in ((["a.example", "c.example"], {"a.example"}), ([], {"a.example", "b.example"})):
        made = routes.site(ingress("a.example", "b.example", tls={"web-tls": named}), objects(secret(), service()))
        assert set(made.certificates) == expected
    assert made.certificates["a.example"].key == b"a key"
    assert made.certificates["a.example"].name == "shop_web-tls"


def test_annotations_limit_requests() -> None:
    given = {BODY_SIZE: "8m", BUFFERING: "off", READ_TIMEOUT: "300", SEND_TIMEOUT: "301"}
    made = routes.site(ingress("shop.example", annotations=given), objects(service()))

    assert made.hosts["shop.example"][0].limits == Limits(
        body_size="8m", request_buffering="off", read_timeout=300, send_timeout=301
    )


def test_without_annotations_a_request_is_small_and_kept_on_the_disk_as_with_ingress_nginx() -> None:
    made = routes.site(ingress("shop.example"), objects(service()))

    assert made.hosts["shop.example"][0].limits == Limits(
        body_size="1m", request_buffering="on", read_timeout=60, send_timeout=60
    )


def test_annotations_without_effect_are_named() -> None:
    given = {BODY_SIZE: "8m", f"{PREFIX}rewrite-target": "/", "example.org/of-somebody": "x"}

    assert routes.without_effect(ingress("shop.example", annotations=given)) == [f"{PREFIX}rewrite-target"]


REFUSED: dict[str, tuple[Ingress, str]] = {
    "a default backend": (ingress(defaultBackend={"service": {"name": "web"}}), r"spec\.defaultBackend is not served"),
    "no host": (ingress(rules=[{"http": {"paths": [path("/")]}}]), "a rule without a host"),
    "a path that nginx would read as more than one": (
        ingress("shop.example", paths={"/a { return 200; } #": "Prefix"}),
        r"path '/a \{ return 200; \} #' is not served here: it has to match",
    ),
    "a body size that is none": (
        ingress("shop.example", annotations={BODY_SIZE: "8 MB; x"}),
        "is '8 MB; x': it has to",
    ),
    "a timeout that is none": (ingress("shop.example", annotations={READ_TIMEOUT: "1h"}), "is '1h': it has to match"),
    "a resource": (
        ingress(rules=[{"host": "a.example", "http": {"paths": [{"path": "/", "pathType": "Exact", "backend": {}}]}}]),
        "leads to a resource",
    ),
    "a Service without an address": (
        ingress(rules=[{"host": "a.example", "http": {"paths": [path("/", service="headless")]}}]),
        "Service headless has no cluster address",
    ),
    "no Secret": (ingress("a.example", tls={"none": ["a.example"]}), r"no Secret none of type kubernetes\.io/tls"),
    "half a Secret": (ingress("a.example", tls={"half": ["a.example"]}), r"Secret half has no tls\.key"),
}


@pytest.mark.parametrize(("wanted", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_served_is_refused_with_its_reason(wanted: Ingress, reason: str) -> None:
    there = objects(service(), service("headless", "None"), secret("half", **{"tls.crt": "a certificate"}))

    with pytest.raises(RefusedError, match=reason):
        routes.site(wanted, there)


def test_only_ingresses_of_the_class_count_the_oldest_first() -> None:
    young = ingress("shop.example", name="a", made="2026-02-01T00:00:00Z")
    old = ingress("shop.example", name="b", made="2026-01-01T00:00:00Z")
    others = [ingress("shop.example", ingressClassName=name) for name in ("gce", None)]

    assert routes.own([young, *others, old]) == [old, young]
