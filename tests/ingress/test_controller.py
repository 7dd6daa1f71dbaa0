"""What the controller does when something changes; nginx and the cluster are played."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lightkube.resources.networking_v1 import Ingress

from local.errors import UserError
from local.ingress import configuration, routes
from local.ingress.configuration import Files
from local.ingress.controller import Controller
from local.ingress.routes import PREFIX, Objects
from tests.ingress.objects import ingress, objects, secret, service

ADDRESS = "10.89.9.2"


@dataclass
class Nginx:
    """Refuses whatever holds the word `broken`; keeps what it was given to serve."""

    served: list[str] = field(default_factory=list[str])
    tried: int = 0
    runs: bool = True

    def refuses(self, content: Files) -> str | None:
        """Play trying."""
        self.tried += 1
        return "a broken key" if any(b"broken" in data for data in content.values()) else None

    def take_up(self, content: Files) -> None:
        """Play serving."""
        if not self.runs:
            raise UserError("nginx does not run")
        self.served.append(content[configuration.MAIN].decode())


@dataclass
class Cluster:
    """Holds what a test puts there, and keeps what it is told."""

    holds: Objects
    published: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    def objects(self) -> Objects:
        """Play reading."""
        return self.holds

    def publish(self, ingress: Ingress, address: str) -> None:
        """Play the status."""
        self.published.append(f"{routes.key(ingress)} at {address}")

    def warn(self, ingress: Ingress, reason: str, message: str) -> None:
        """Play the Event."""
        self.told.append(f"{routes.key(ingress)} {reason}: {message}")


WHOLE = ingress("whole.example", name="whole", tls={"whole-tls": ["whole.example"]})
KEY = {"tls.crt": "a certificate", "tls.key": "a broken key"}


def test_a_broken_secret_hurts_no_other_ingress_and_is_told_once() -> None:
    hurt = ingress("hurt.example", name="hurt", tls={"hurt-tls": ["hurt.example"]})
    cluster = Cluster(objects(WHOLE, hurt, service(), secret("whole-tls"), secret("hurt-tls", **KEY)))
    nginx = Nginx()
    controller = Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid"))

    controller.reconcile()
    controller.reconcile()

    assert ("whole.example" in nginx.served[0], "hurt.example" in nginx.served[0]) == (True, False)
    assert len(nginx.served) == 1
    assert set(cluster.published) == {f"shop/whole at {ADDRESS}"}
    assert cluster.told == ["shop/hurt NotServed: a broken key"]


def test_a_missing_secret_hurts_no_other_ingress_and_is_taken_up_when_it_comes() -> None:
    late = ingress("late.example", name="late", tls={"late-tls": ["late.example"]})
    cluster, nginx = Cluster(objects(WHOLE, late, service(), secret("whole-tls"))), Nginx()
    controller = Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid"))

    controller.reconcile()
    assert "late.example" not in nginx.served[-1]
    assert [told.partition(":")[0] for told in cluster.told] == ["shop/late NotServed"]

    cluster.holds = objects(WHOLE, late, service(), secret("whole-tls"), secret("late-tls"))
    controller.reconcile()
    assert "late.example" in nginx.served[-1]
    assert f"shop/late at {ADDRESS}" in cluster.published


def test_what_does_not_change_is_neither_tried_nor_taken_up_again() -> None:
    cluster, nginx = Cluster(objects(WHOLE, service(), secret("whole-tls"))), Nginx()
    controller = Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid"))

    for _ in range(3):
        controller.reconcile()

    assert (nginx.tried, len(nginx.served)) == (1, 1)


def test_a_renewed_certificate_is_taken_up() -> None:
    cluster, nginx = Cluster(objects(WHOLE, service(), secret("whole-tls"))), Nginx()
    controller = Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid"))
    controller.reconcile()

    renewed = secret("whole-tls", **{"tls.crt": "another", "tls.key": "another"})
    cluster.holds = objects(WHOLE, service(), renewed)
    controller.reconcile()

    assert len(nginx.served) == 2


def test_what_nginx_did_not_take_up_is_tried_again() -> None:
    cluster, nginx = Cluster(objects(WHOLE, service(), secret("whole-tls"))), Nginx(runs=False)
    controller = Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid"))
    with pytest.raises(UserError, match="does not run"):
        controller.reconcile()
    assert cluster.published == []

    nginx.runs = True
    controller.reconcile()

    assert len(nginx.served) == 1
    assert cluster.published == [f"shop/whole at {ADDRESS}"]


def test_an_annotation_without_effect_is_told_and_the_ingress_served() -> None:
    wanted = ingress("shop.example", annotations={f"{PREFIX}rewrite-target": "/"})
    cluster, nginx = Cluster(objects(wanted, service())), Nginx()

    Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid")).reconcile()

    assert cluster.told == [f"shop/web NoEffect: annotation {PREFIX}rewrite-target has no effect here"]
    assert cluster.published == [f"shop/web at {ADDRESS}"]


def test_ingresses_of_another_class_are_left_alone() -> None:
    other = ingress("shop.example", ingressClassName="gce", annotations={f"{PREFIX}rewrite-target": "/"})
    cluster, nginx = Cluster(objects(other, service())), Nginx()

    Controller(cluster, nginx, ADDRESS, Path("/run/nginx.pid")).reconcile()

    assert "shop.example" not in nginx.served[0]
    assert (cluster.told, cluster.published) == ([], [])
