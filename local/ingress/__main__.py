"""The controller as a program; see `local.ingress`."""

import argparse
import logging
import threading
from pathlib import Path

from httpx2 import HTTPError

from local.errors import UserError
from local.ingress.cluster import PAUSE_SECONDS, Cluster, connect
from local.ingress.controller import Controller
from local.ingress.program import NGINX, PID_FILE
from local.ingress.server import Server
from local.process import Daemon

log = logging.getLogger("local.ingress")

GATHER_SECONDS = 0.1
"""How long changes are gathered: what is applied together is taken up together."""


def main() -> None:
    """Run until ended."""
    parser = argparse.ArgumentParser(prog="python -m local.ingress", description=__doc__)
    parser.add_argument("--api-server", required=True, help="URL of the cluster")
    parser.add_argument("--authority", required=True, type=Path, help="certificate that the API server is known by")
    parser.add_argument("--certificate", required=True, type=Path, help="certificate of this program's account")
    parser.add_argument("--key", required=True, type=Path, help="its key")
    parser.add_argument("--folder", required=True, type=Path, help="folder of nginx's files")
    parser.add_argument("--run-dir", required=True, type=Path, help="folder of nginx's process id file")
    parser.add_argument("--log-dir", required=True, type=Path, help="folder of nginx's log")
    parser.add_argument("--address", required=True, help="address that nginx listens on")
    parser.add_argument("--late-seconds", type=int, default=0, help="age at which an Ingress is given its address (0)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of every request
    cluster = Cluster(connect(given.api_server, given.authority, given.certificate, given.key))
    nginx = Daemon(name=NGINX, argv=[], run_dir=given.run_dir, log_dir=given.log_dir)
    late: int = given.late_seconds
    controller = Controller(cluster, Server(nginx, given.folder), given.address, given.folder / PID_FILE, late)
    changed = threading.Event()
    cluster.watch(changed)
    log.info("watching %s", given.api_server)
    _run(controller, changed, late)


def _run(controller: Controller, changed: threading.Event, late_seconds: int) -> None:
    pause = threading.Event()
    told = ""
    while True:
        changed.wait(late_seconds or None)
        pause.wait(GATHER_SECONDS)
        changed.clear()
        try:
            controller.reconcile()
            told = ""
        except (HTTPError, UserError) as error:
            if str(error) != told:
                log.warning("trying again until it works: %s", error)
            told = str(error)
            changed.set()
            pause.wait(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
