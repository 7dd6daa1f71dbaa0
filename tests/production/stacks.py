"""What a platform engineer types on the second day, and stacks that come after the first one."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from tests.production.rehearsal import STACK
from tests.scratch import Scratch


def operate(project: Scratch, verb: str, *words: str, stack: str = STACK) -> str:
    """Run a verb of the operations that has to succeed; return what it printed, errors and progress as well."""
    done = project.run(".venv/bin/python", "-m", "operations", verb, "--stack", stack, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def take_down(project: Scratch, stack: str) -> None:
    """Take a protected stack down in the two steps that it takes."""
    project.output("pulumi", "config", "set", "mlflow:deletionProtection", "false", "--stack", stack)
    project.output("pulumi", "up", "--yes", "--skip-preview", "--stack", stack)
    project.output("pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack)


@contextmanager
def following(project: Scratch, stack: str, settings: Mapping[str, str]) -> Generator[None]:
    """Deploy a stack where the first one was, as that one was but for its names; take it down afterwards."""
    project.output("pulumi", "stack", "init", stack, "--copy-config-from", STACK)
    own = {
        "mlflow:databaseInstance": f"mlflow-{stack}",
        "mlflow:bucketName": f"team-project-{stack}",
        "mlflow:deletionProtection": "true",
        "mlflow:ownPeering": "false",  # the first one's is still there
        **settings,
    }
    words = [word for key, value in own.items() for word in ("--plaintext", f"{key}={value}")]
    project.output("pulumi", "config", "set-all", "--stack", stack, *words)
    project.output("make", "deploy", f"STACK={stack}")
    yield
    take_down(project, stack)
