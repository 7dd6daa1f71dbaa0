"""The command line of the local installation: `python -m local COMMAND`."""

import argparse
import errno
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable

from local import cluster, image, ownership, stack, standin, virtualenv
from local.cache import NotBuiltError, cache_root, locked, nothing_built, require_space
from local.engine.environment import own_engine
from local.engine.go import forget_caches
from local.errors import UserError
from local.instance import STATE_ROOT, Instance
from local.minikube import checks, ingress
from local.minikube import cluster as minikube
from local.progress import say

STATE_GIB = 2
"""Free space that a start takes; most of it is the unpacked image."""


def up(instance: Instance) -> None:
    """Install, build and start what is missing, then bring the `local` stack up."""
    built = _start(instance)
    uri = stack.up(instance, built.tag)
    say("The tracking server answers at")
    print(uri)


def start(instance: Instance) -> None:
    """Install, build and start what is missing, without any stack: for a rehearsal of one of your own."""
    built = _start(instance)
    ingress.up(instance)
    say(f"Google Cloud and Kubernetes answer; the cluster holds the image {built.tag}")


def _start(instance: Instance) -> image.Image:
    ownership.claim(instance)
    standin.check(instance)
    if not running(instance):
        require_space(STATE_ROOT, STATE_GIB)
    virtualenv.provide("requirements-local.txt")
    own_engine()
    cluster.provide(instance)
    _tell_programs(instance)
    forget_caches()
    built = image.build()
    minikube.connect(instance)
    standin.up(instance)
    cluster.up(instance, {built.tag: built.tar})
    return built


def _tell_programs(instance: Instance) -> None:
    path = stack.environment(instance)["PATH"]
    programs = ("docker", "minikube", "kubectl", "pulumi")
    say("using " + ", ".join(str(shutil.which(name, path=path)) for name in programs))


def down(instance: Instance) -> None:
    """Destroy the stack, then remove everything that `up` started or stored; what is built stays cached."""
    ownership.check(instance)
    failure: UserError | None = None
    if running(instance):
        try:
            with nothing_built():
                stack.destroy(instance)
        except NotBuiltError as error:
            say(f"stack: not destroyed by itself, it goes with the instance: {error}")
        except UserError as error:
            failure = error
    standin.down(instance)
    cluster.purge(instance)
    if instance.state.exists():
        shutil.rmtree(instance.state)
    say(f"The instance {instance.name!r} is gone.")
    if failure is not None:
        raise UserError(f"{failure}\nthe instance was removed all the same, with everything in it")


def stop(instance: Instance) -> None:
    """Stop everything and keep its state; `up` goes on from there."""
    ownership.check(instance)
    standin.down(instance)
    cluster.down(instance)


def env(instance: Instance) -> None:
    """Print the `export` lines after which plain `pulumi`, `docker`, `minikube` and `kubectl` act on the instance."""
    ownership.check(instance)
    require_running(instance)
    with nothing_built():
        variables = stack.environment(instance)
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def status(instance: Instance) -> None:
    """Tell what runs, and where its logs are."""
    gcp = standin.daemon(instance)
    pid = gcp.pid()
    parts = [(gcp.name, f"pid {pid}" if pid else "stopped", gcp.log), *cluster.report(instance)]
    print(f"instance {instance.name}: {'running' if running(instance) else 'not running'}, state in {instance.state}")
    for name, state, log in parts:
        print(f"  {name:<24}{state:<14}{log}")


def logs(instance: Instance) -> None:
    """Print the last lines of every log."""
    for log in sorted(instance.log_dir.glob("*.log")):
        print(f"==> {log} <==")
        print("\n".join(log.read_text(errors="replace").splitlines()[-20:]))


def develop(_: Instance) -> None:
    """Install what tests, measurements and style checks need."""
    virtualenv.provide("requirements-dev.txt")


def running(instance: Instance) -> bool:
    """Tell whether the stand-in and the cluster are both ready."""
    return standin.healthy(instance) and minikube.status(instance).ready


def require_running(instance: Instance) -> None:
    """Check that the instance runs.

    Raises:
        UserError: it does not.

    """
    if not running(instance):
        raise UserError(f"the instance {instance.name!r} does not run: start it with `make up`")


COMMANDS: dict[str, Callable[[Instance], None]] = {
    "up": up,
    "start": start,
    "down": down,
    "stop": stop,
    "env": env,
    "status": status,
    "logs": logs,
    "develop": develop,
}
EXCLUSIVE = {"up", "start", "down", "stop"}
STARTING = {"up", "start"}


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__)
    chosen = str(parser.parse_args().command)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends tidily, as Ctrl-C does
    try:
        instance = Instance.named()
        if chosen in EXCLUSIVE:
            _alone(chosen, instance)
        else:
            COMMANDS[chosen](instance)
    except UserError as error:
        say(f"error: {error}")
        return 1
    except BrokenPipeError:
        return 1  # such as `| head`: who reads has enough
    except OSError as error:
        say(f"error: {error}: {_remedy(error)}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: run the same command again to go on")
        return 130
    return 0


def _alone(chosen: str, instance: Instance) -> None:
    """Run a command that no other command on the instance may meet."""
    ownership.check(instance)  # another clone's command may hold the lock for long
    if chosen in STARTING:
        checks.version()
    if chosen == "start":
        checks.user()
    lock = STATE_ROOT / f".{instance.name}.lock"
    with locked(lock, f"waiting for another command on the instance {instance.name!r} to end …"):
        COMMANDS[chosen](instance)
        if not instance.state.exists():
            lock.unlink()


def _remedy(error: OSError) -> str:
    """Tell what helps against an error of the operating system."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "free some disk space, then run the same command again"
    if str(error.filename).startswith(str(cache_root().parent)):
        return "set XDG_CACHE_HOME to a folder that can be written"
    if error.errno in {errno.EACCES, errno.EPERM} and os.geteuid() != 0:
        return "it belongs to another user: run the same command as that one, or take another clone"
    return "mend that, then run the same command again"


if __name__ == "__main__":
    sys.exit(main())
