"""Where a node can't run, the message says why and what to do instead, before anything is changed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local.errors import UserError
from local.instance import Instance
from local.node import host, network

INSTANCE = Instance.named("refused")


def test_another_system_than_linux_is_sent_to_the_walk_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")

    with pytest.raises(UserError, match=r"needs Linux, this is Darwin: follow the `dev` walk-through in README\.md"):
        host.check()


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("local.node.host.PACKAGES", {})
    monkeypatch.setattr("local.ingress.program.PACKAGES", {})

    with pytest.raises(UserError, match=r"needs root .* user id 1000: run it as root, or follow the `dev` walk"):
        host.check()


def test_who_is_not_root_is_told_of_all_missing_packages_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("local.node.host.PACKAGES", {"no-such-wand": "wand", "sh": "dash"})
    monkeypatch.setattr("local.ingress.program.PACKAGES", {"no-such-broom": "broom"})

    with pytest.raises(UserError, match="run it as root, which installs the packages `broom conjurer wand`, or follow"):
        host.check({"no-such-conjurer": "conjurer"})


def test_a_missing_kernel_ability_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def without_overlay(path: Path) -> str:
        return "nodev\tproc\n\text4\n" if path == Path("/proc/filesystems") else read(path)

    def no_module(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        assert (list(argv), "PATH" in env) == (["modprobe", "overlay"], True)

    monkeypatch.setattr(Path, "read_text", without_overlay)
    monkeypatch.setattr("local.node.host.PACKAGES", {})
    monkeypatch.setattr("local.ingress.program.provide", lambda: None)

    monkeypatch.setattr("local.node.host.run", no_module)

    with pytest.raises(UserError, match="kernel lacks overlayfs"):
        host.check()


def machine_with(
    monkeypatch: pytest.MonkeyPatch, *, links: list[dict[str, Any]], routes: list[dict[str, Any]]
) -> list[Sequence[str]]:
    """Let `ip` tell of these links and routes; return the growing list of what it is asked to change."""
    changes: list[Sequence[str]] = []

    def told(argv: Sequence[str]) -> str:
        if argv[-2:] == ["link", "show"]:
            return json.dumps(links)
        if argv[-2:] == ["netns", "list"]:
            return json.dumps([{"name": "mlflow-local-somebody", "id": 3}])
        return json.dumps(routes)

    monkeypatch.setattr("local.node.network.output", told)
    monkeypatch.setattr("local.node.network.run", changes.append)
    return changes


def test_addresses_of_another_instance_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = machine_with(monkeypatch, links=[{"ifname": INSTANCE.veth_host, "link_netnsid": 3}], routes=[])

    with pytest.raises(UserError, match=r"belongs to mlflow-local-somebody.*another name with MLFLOW_LOCAL_INSTANCE"):
        network.up(INSTANCE)
    assert changes == []


def test_addresses_of_another_network_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = [{"dst": "default", "dev": "eth0"}, {"dst": "10.89.0.0/16", "dev": "podman1"}]
    changes = machine_with(monkeypatch, links=[], routes=taken)

    with pytest.raises(UserError, match=r"in use on this machine: 10\.89\.0\.0/16 goes to podman1"):
        network.up(INSTANCE)
    assert changes == []


def test_a_wide_route_such_as_a_vpn_s_is_no_network_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = machine_with(monkeypatch, links=[], routes=[{"dst": "10.0.0.0/8", "dev": "tun0"}])

    network.up(INSTANCE)

    assert changes
