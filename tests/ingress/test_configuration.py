"""The files that nginx reads; that they do what they say is shown on the node."""

import re
from pathlib import Path

import pytest

from local.ingress import configuration
from local.ingress.sites import Certificate, Limits, Location, Site

ADDRESS = "10.89.9.2"
PID_FILE = Path("/run/nginx.pid")
CERTIFICATE = Certificate(name="shop_tls", certificate=b"a certificate", key=b"a key")
PLAIN = Location(path="/", exact=False, upstream="10.96.0.7:80")


def site(*locations: Location, host: str = "shop.example", certificate: Certificate | None = None) -> Site:
    return Site(
        name=f"shop/{host}",
        hosts={host: list(locations)},
        certificates={host: certificate} if certificate else {},
    )


def written(*sites: Site) -> str:
    return configuration.files(sites, ADDRESS, PID_FILE)[configuration.MAIN].decode()


def servers(text: str, host: str) -> list[str]:
    """Return the blocks of a host."""
    return [block for block in re.split(r"\n    (?=server \{|upstream )", text) if f"server_name {host};" in block]


def locations(text: str, host: str = "shop.example") -> dict[str, str]:
    return {
        match: body.strip()
        for match, body in re.findall(r"location (.*?) \{(.*?)\}", servers(text, host)[-1], re.DOTALL)
    }


def test_without_sites_every_request_is_refused() -> None:
    text = written()

    assert text.count("server {") == 2
    assert "ssl_reject_handshake on;" in text
    assert "proxy_pass" not in text


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        ([("/", False)], {"/"}),
        ([("/a", False)], {"= /a", "/a/", "/"}),
        ([("/a/", False)], {"= /a", "/a/", "/"}),
        ([("/a", True)], {"= /a", "/"}),
        ([("/", True)], {"= /", "/"}),
        ([("/a", True), ("/", False)], {"= /a", "/"}),
    ],
)
def test_paths_match_by_whole_elements(given: list[tuple[str, bool]], matches: set[str]) -> None:
    wanted = [Location(path=path, exact=exact, upstream="10.96.0.7:80") for path, exact in given]

    found = locations(written(site(*wanted)))

    assert set(found) == matches
    if ("/", False) not in given:
        assert found["/"] == "return 404;"


def test_an_exact_path_comes_before_a_prefix_and_an_older_ingress_before_a_younger() -> None:
    old = site(Location(path="/a", exact=False, upstream="10.96.0.1:80"))
    young = site(
        Location(path="/a", exact=True, upstream="10.96.0.2:80"),
        Location(path="/a", exact=False, upstream="10.96.0.3:80"),
    )

    found = locations(written(old, young))

    assert "10.96.0.2-80" in found["= /a"]
    assert "10.96.0.1-80" in found["/a/"]


def test_a_host_with_a_certificate_is_served_over_tls_alone() -> None:
    made = configuration.files([site(PLAIN, certificate=CERTIFICATE)], ADDRESS, PID_FILE)
    plain, secure = servers(made[configuration.MAIN].decode(), "shop.example")

    assert f"listen {ADDRESS}:80;" in plain
    assert "return 308 https://$host$request_uri;" in plain
    assert "proxy_pass" not in plain
    assert f"listen {ADDRESS}:443 ssl http2;" in secure
    assert "ssl_certificate shop_tls.crt;" in secure
    assert (made["shop_tls.crt"], made["shop_tls.key"]) == (b"a certificate", b"a key")


def test_a_host_with_a_certificate_is_served_over_tls_alone_whichever_ingress_brings_it() -> None:
    text = written(
        site(Location(path="/a", exact=False, upstream="10.96.0.1:80")), site(PLAIN, certificate=CERTIFICATE)
    )
    plain, secure = servers(text, "shop.example")

    assert "proxy_pass" not in plain
    assert secure.count("proxy_pass") == 3


def test_limits_belong_to_their_location() -> None:
    limited = Limits(body_size="8m", request_buffering="off", read_timeout=300, send_timeout=301)
    found = locations(written(site(PLAIN, Location(path="/a", exact=True, upstream="10.96.0.7:80", limits=limited))))

    assert "client_max_body_size 8m;" in found["= /a"]
    assert "proxy_request_buffering off;" in found["= /a"]
    assert "proxy_read_timeout 300s;" in found["= /a"]
    assert "proxy_send_timeout 301s;" in found["= /a"]
    assert "client_max_body_size 1m;" in found["/"]
    assert "proxy_request_buffering on;" in found["/"]


def test_a_missing_service_is_said_to_be_unavailable() -> None:
    assert locations(written(site(Location(path="/", exact=False, upstream=None)))) == {"/": "return 503;"}


def test_nothing_is_asked_of_a_service_twice() -> None:
    assert "proxy_next_upstream off;" in written(site(PLAIN))


def test_it_listens_on_the_node_alone_and_by_current_tls() -> None:
    text = written(site(PLAIN, certificate=CERTIFICATE))

    assert set(re.findall(r"listen (\S+?):\d+", text)) == {ADDRESS}
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text


def test_a_digest_follows_from_every_file() -> None:
    one = configuration.files([site(PLAIN, certificate=CERTIFICATE)], ADDRESS, PID_FILE)
    renewed = {**one, "shop_tls.crt": b"another"}

    assert configuration.digest(one) == configuration.digest(dict(reversed(list(one.items()))))
    assert configuration.digest(one) != configuration.digest(renewed)
