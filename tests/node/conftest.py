"""One real node for these tests, beside whatever else runs here."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.instance import Instance
from local.node import binaries, node
from local.oci import scratch_image
from tests.node import machine
from tests.node.workload import IMAGE

INSTANCE = Instance.named("mlflow-node-test")


@dataclass(frozen=True)
class Cluster:
    """The running node.

    Attributes:
        instance: whose it is.
        programs: the folder of its binaries.
        archives: the images that it was given, by name.
        before: what the machine looked like before it was there.
        up_seconds: how long its first start took.

    """

    instance: Instance
    programs: Path
    archives: dict[str, Path]
    before: set[str]
    up_seconds: float

    def up(self) -> float:
        """Start it, or what is missing of it; return the seconds that took."""
        started = time.monotonic()
        node.up(self.instance, self.programs, self.archives)
        return time.monotonic() - started

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return what it prints."""
        done = self.try_kubectl(*words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def try_kubectl(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, whatever comes of it."""
        argv = [str(self.programs / "bin" / "kubectl"), "--kubeconfig", str(node.kubeconfig(self.instance)), *words]
        return subprocess.run(argv, check=False, capture_output=True, text=True, input=stdin, timeout=90)

    def apply(self, *things: dict[str, Any]) -> None:
        """Make Kubernetes objects."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The node, removed before and after."""
    node.purge(INSTANCE)
    before = machine.trace(INSTANCE.name)
    programs = binaries.build()
    archives = {IMAGE: scratch_image(IMAGE, {"/coredns": programs / "coredns"}, ["/coredns"])}
    started = time.monotonic()
    try:
        node.up(INSTANCE, programs, archives)
        yield Cluster(INSTANCE, programs, archives, before, time.monotonic() - started)
    finally:
        node.purge(INSTANCE)


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until `condition` holds; fail naming `what` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
