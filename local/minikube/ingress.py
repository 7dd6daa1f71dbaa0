"""Starts and stops the stand-in of an ingress controller beside a cluster, with nginx in the network of the node.

Only root may enter that network.
"""

import shutil
from pathlib import Path

from local.command import WITHOUT_PROXY, output, run
from local.ingress import HTTP_PORT, program
from local.instance import Instance
from local.minikube import cluster
from local.packages import SYSTEM_FOLDERS
from local.process import Daemon, wait_for
from local.progress import step
from local.virtualenv import PROJECT

START_SECONDS = 30


def up(instance: Instance) -> None:
    """Serve the Ingresses of an instance's cluster at its node's address.

    Raises:
        UserError: nginx is missing and can't be installed from here, or did not start.

    """
    program.provide()
    with step("ingress: starting the stand-in of a controller"):
        variables = {**WITHOUT_PROXY, **cluster.environment(instance)}
        run(["kubectl", "apply", "--server-side", "--force-conflicts", "--filename", program.MANIFESTS], env=variables)
        program.prepare(_folder(instance), instance.node_address)
        node = int(output(["docker", "inspect", "--format", "{{.State.Pid}}", instance.profile], env=variables))
        nginx = _nginx(instance, node)
        if not _in_network_of(nginx, node):
            nginx.stop()  # it is left from before the node's container was started anew
        nginx.start()
        wait_for(lambda: _listens(node), what="nginx", deadline=START_SECONDS, log=nginx.log)
        _controller(instance).start()


def down(instance: Instance) -> None:
    """Stop it."""
    _controller(instance).stop()
    _nginx(instance, 0).stop()
    shutil.rmtree(_folder(instance), ignore_errors=True)


def _folder(instance: Instance) -> Path:
    return instance.state / "ingress"


def _nginx(instance: Instance, node: int) -> Daemon:
    return Daemon(
        name=program.NGINX,
        argv=["nsenter", f"--net=/proc/{node}/ns/net", *program.nginx(_folder(instance))],
        run_dir=instance.run_dir,
        log_dir=instance.log_dir,
        env={"PATH": SYSTEM_FOLDERS},
    )


def _controller(instance: Instance) -> Daemon:
    certificates = cluster.home(instance)
    command = program.controller(
        _folder(instance),
        api_server=f"https://{instance.node_address}:8443",
        authority=certificates / "ca.crt",
        certificate=certificates / "profiles" / instance.profile / "client.crt",
        key=certificates / "profiles" / instance.profile / "client.key",
        address=instance.node_address,
        late_seconds=str(instance.late_seconds),
        run_dir=instance.run_dir,
        log_dir=instance.log_dir,
    )
    return Daemon(
        name=program.CONTROLLER, argv=command, run_dir=instance.run_dir, log_dir=instance.log_dir, cwd=PROJECT
    )


def _in_network_of(daemon: Daemon, node: int) -> bool:
    pid = daemon.pid()
    return pid is not None and Path(f"/proc/{pid}/ns/net").samefile(f"/proc/{node}/ns/net")


def _listens(node: int) -> bool:
    """Tell whether the node's network has a listener on the port of HTTP (proc_net(5): state 0A)."""
    sockets = [line.split() for line in Path(f"/proc/{node}/net/tcp").read_text().splitlines()[1:]]
    return any(socket[1].endswith(f":{HTTP_PORT:04X}") and socket[3] == "0A" for socket in sockets)
