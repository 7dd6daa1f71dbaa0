"""The command line of day two: `python -m operations VERB --stack NAME`."""

import argparse
import signal
import sys
from collections.abc import Callable

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from googleapiclient.errors import Error as GoogleClientError

from operations.backup import backup, backups
from operations.drift import drift
from operations.errors import UserError
from operations.progress import say
from operations.restore import restore
from operations.rotate import rotate, rotate_encryption
from operations.server import Server
from operations.stack import Stack
from operations.upgrade import downgrade, upgrade

_DRIFTED, _FAILED, _INTERRUPTED = 1, 2, 130
Verb = Callable[[Stack, argparse.Namespace], int]


def _rotate(stack: Stack, _: argparse.Namespace) -> int:
    """Give the server another password at its database, without a failed request."""
    rotate(stack)
    return 0


def _rotate_encryption(stack: Stack, _: argparse.Namespace) -> int:
    """Give the server other keys for the secrets in its database, without a failed request."""
    rotate_encryption(stack)
    return 0


def _backup(stack: Stack, _: argparse.Namespace) -> int:
    """Back database and artifacts up together, while the server works; prints where."""
    print(backup(stack))
    return 0


def _backups(stack: Stack, _: argparse.Namespace) -> int:
    """List the complete backups, the oldest first."""
    print("".join(f"{url}\n" for url in backups(stack)), end="")
    return 0


def _restore(stack: Stack, arguments: argparse.Namespace) -> int:
    """Put database and artifacts to what a backup holds, most often in a new stack."""
    restore(stack, arguments.url, overwrite=arguments.overwrite)
    return 0


def _upgrade(stack: Stack, arguments: argparse.Namespace) -> int:
    """Back the instance up, then run another image."""
    upgrade(stack, arguments.image)
    return 0


def _downgrade(stack: Stack, arguments: argparse.Namespace) -> int:
    """Go back to an image of before and to the instance's backup of then."""
    downgrade(stack, arguments.image, arguments.backup, confirmed=arguments.yes)
    return 0


def _start(stack: Stack, _: argparse.Namespace) -> int:
    """Start the server where its Deployment was scaled to 0, which no autoscaler does; wait until it serves."""
    Server(stack).start()
    return 0


def _drift(stack: Stack, _: argparse.Namespace) -> int:
    """Tell what is not as this clone says: status 1 where something is not, 2 where that cannot be told."""
    lines = drift(stack)
    print("".join(f"{line}\n" for line in lines), end="")
    say(f"{len(lines)} found; `make deploy STACK={stack.name}` mends it" if lines else "no difference")
    return _DRIFTED if lines else 0


VERBS: dict[str, Verb] = {
    "rotate": _rotate,
    "rotate-encryption": _rotate_encryption,
    "backup": _backup,
    "backups": _backups,
    "restore": _restore,
    "upgrade": _upgrade,
    "downgrade": _downgrade,
    "start": _start,
    "drift": _drift,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    parsers = {
        name: verbs.add_parser(name, help=verb.__doc__, description=verb.__doc__) for name, verb in VERBS.items()
    }
    for each in parsers.values():
        each.add_argument("--stack", required=True, help="stack of this clone, as `pulumi stack ls` lists it")
    parsers["restore"].add_argument("url", metavar="GS_URL", help="backup, as `backups` lists it")
    parsers["restore"].add_argument("--overwrite", action="store_true", help="lose what the stack holds")
    for name in ("upgrade", "downgrade"):
        parsers[name].add_argument(
            "image", metavar="IMAGE", help="server image with a tag other than latest, or a digest"
        )
    parsers["downgrade"].add_argument(
        "--backup", required=True, metavar="ID", help="the instance's, as `upgrade` tells it"
    )
    parsers["downgrade"].add_argument("--yes", action="store_true", help="do not ask")
    return parser


def main() -> int:
    """Run one verb; return the exit status."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends tidily, as Ctrl-C does
    try:
        return VERBS[arguments.verb](Stack.load(arguments.stack), arguments)
    except (UserError, GoogleAPIError, GoogleClientError, GoogleAuthError, OSError) as error:
        say(f"error: {error}")
        return _FAILED
    except KeyboardInterrupt:
        say("interrupted")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
