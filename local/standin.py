"""Starts and stops the Google Cloud stand-in, `local.gcp`, as one of the instance's background programs."""

import urllib.error
import urllib.request

from local.gcp import DEBIAN_PACKAGES
from local.instance import Instance
from local.packages import require
from local.process import Daemon, wait_for
from local.virtualenv import PROJECT, PYTHON

START_SECONDS = 60


def daemon(instance: Instance) -> Daemon:
    """Return the stand-in's background program."""
    port = instance.gcp_port
    addresses = [f"{instance.host_address}:{port}", f"127.0.0.1:{port}"]
    argv = [PYTHON, "-m", "local.gcp", "--state", instance.state / "gcp", "--sql-addresses", instance.sql_addresses]
    for address in addresses:
        argv += ["--listen", address]
    return Daemon(name="gcp", argv=argv, run_dir=instance.run_dir, log_dir=instance.log_dir, cwd=PROJECT)


def up(instance: Instance) -> None:
    """Start the stand-in and wait until its database servers answer.

    Raises:
        UserError: it does not come up; the message names its log.

    """
    require(DEBIAN_PACKAGES)
    standin = daemon(instance)
    standin.start()
    wait_for(
        lambda: healthy(instance) or not standin.running(),
        what="the Google Cloud stand-in",
        deadline=START_SECONDS,
        log=standin.log,
    )
    if not standin.running():
        raise standin.ended()


def down(instance: Instance) -> None:
    """Stop the stand-in and its database servers."""
    daemon(instance).stop()


def healthy(instance: Instance) -> bool:
    """Tell whether the stand-in answers."""
    try:
        with urllib.request.urlopen(f"{instance.gcp_endpoint}/healthz", timeout=5):  # noqa: S310 - http by its making
            return True
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
