"""The machine's firewall: a line that a test cuts, and the rules that all else put there."""

import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

COMMENT = "cut by a test of mlflow-on-kubernetes"


@contextmanager
def silence(host: str, port: int) -> Generator[None]:
    """Drop every packet to and from a server on this machine; connections stay open and neither end is told."""
    drop = ["--match", "comment", "--comment", COMMENT, "--jump", "DROP"]
    with ExitStack() as stack:
        for way in (["--destination", host, "--dport", str(port)], ["--source", host, "--sport", str(port)]):
            rule = ["INPUT", "--protocol", "tcp", *way, *drop]
            subprocess.run(["iptables", "--wait", "--insert", *rule], check=True)
            stack.callback(subprocess.run, ["iptables", "--wait", "--delete", *rule], check=True)
        yield


def rules() -> list[str]:
    """Return all rules and chains, without their counters.

    Lines that are cut are left out, as another test may cut one meanwhile, and so are tables without a rule, which
    appear as soon as a table is read.
    """
    saved = subprocess.run(["iptables-save"], check=True, capture_output=True, text=True).stdout.splitlines()
    chains = [line.split("[")[0] for line in saved if line.startswith(":") and " ACCEPT " not in line]
    return [*chains, *(line for line in saved if line.startswith("-") and COMMENT not in line)]
