"""Starts and stops the Google Cloud stand-in, `local.gcp`, as one of the instance's background programs."""

import http.client
import json
import socket
from pathlib import Path

from local.cache import key_of
from local.errors import UserError
from local.gcp import LONGEST_STATE, postgres_programs
from local.instance import NAME_VARIABLE, Instance
from local.process import Daemon, wait_for
from local.virtualenv import PROJECT, PYTHON

START_SECONDS = 60
STOP_SECONDS = 20


def daemon(instance: Instance) -> Daemon:
    """Return the stand-in's background program."""
    port = instance.gcp_port
    addresses = [f"{instance.host_address}:{port}", f"127.0.0.1:{port}"]
    argv = [PYTHON, "-m", "local.gcp", "--state", _state(instance), "--sql-addresses", instance.sql_addresses]
    argv += ["--grant-seconds", str(instance.late_seconds)]
    for address in addresses:
        argv += ["--listen", address]
    return Daemon(name="gcp", argv=argv, run_dir=instance.run_dir, log_dir=instance.log_dir, cwd=PROJECT)


def check(instance: Instance) -> None:
    """Check that the path of its state is short enough, and that its port is free, or the stand-in's already.

    Raises:
        UserError: the path is too long, or another program holds the port.

    """
    if len(str(_state(instance))) > LONGEST_STATE:
        raise UserError(
            f"{_state(instance)} is longer than {LONGEST_STATE} characters, too long for PostgreSQL: choose a shorter "
            f"name with {NAME_VARIABLE}, or a shorter folder with XDG_STATE_HOME"
        )
    if daemon(instance).running():
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", instance.gcp_port))
        except OSError as error:
            raise UserError(
                f"port {instance.gcp_port} of 127.0.0.1, which the instance {instance.name!r} needs: {error.strerror}. "
                f"End the program that holds it (`ss -ltnp` names it), or choose another name with {NAME_VARIABLE}"
            ) from error


def up(instance: Instance) -> None:
    """Start the stand-in and wait until its database servers answer; one of other sources is replaced.

    Raises:
        UserError: it does not come up; the message names its log.

    """
    standin, note = daemon(instance), _note(instance)
    version = key_of(Path(postgres_programs.__file__).parent, PROJECT / "requirements-local.txt")
    if not note.exists() or note.read_text() != version:
        standin.stop(STOP_SECONDS)
    standin.start()
    note.write_text(version)
    wait_for(
        lambda: healthy(instance) or not standin.running(),
        what="the Google Cloud stand-in",
        deadline=START_SECONDS,
        log=standin.log,
    )
    if not standin.running():
        raise standin.ended()


def down(instance: Instance) -> None:
    """Stop the stand-in and its database servers, also those that outlived it."""
    daemon(instance).stop(STOP_SECONDS)
    postgres_programs.end_servers(_state(instance) / "sql")


def healthy(instance: Instance) -> bool:
    """Tell whether the stand-in, and no other program in its place, says that all of it serves."""
    pid = daemon(instance).pid()
    if pid is None:
        return False
    connection = http.client.HTTPConnection(instance.host_address, instance.gcp_port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return answer.status == http.client.OK and said == {"pid": pid, "failing": []}


def _state(instance: Instance) -> Path:
    return instance.state / "gcp"


def _note(instance: Instance) -> Path:
    """Return the file that says of what version the running stand-in is."""
    return instance.run_dir / "gcp.version"
