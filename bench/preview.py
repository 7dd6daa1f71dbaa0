"""How long a preview takes of which nothing comes, over the least that a program with the same three SDKs can take."""

import time

from bench.figures import Figure, at_most, ratio
from bench.installation import Installation
from local.progress import step
from tests.scratch import PROJECT, Scratch

ROUNDS = 7
FLOOR = {
    "Pulumi.yaml": f"""\
name: floor
runtime:
  name: python
  options:
    virtualenv: {PROJECT / ".venv"}
""",
    "__main__.py": """\
import pulumi_gcp
import pulumi_kubernetes
import pulumi_random

pulumi_random.RandomPassword("password", length=16)
""",
}


def measure(installation: Installation) -> list[Figure]:
    """Return the ratio of the medians of alternating runs."""
    with step(f"preview: {ROUNDS} alternating runs"):
        floor = _floor(installation)
        programs = (installation.project, floor)
        seconds = [[_preview(program) for program in programs] for _ in range(ROUNDS)]
    ours, least = zip(*seconds, strict=True)
    measure = "`pulumi preview`, nothing changed, over a program of three SDKs and one RandomPassword"
    return [ratio(measure, ours, least, at_most(1.6), "s")]


def _floor(installation: Installation) -> Scratch:
    """Return the floor program, brought up in a state folder of its own."""
    folder = installation.folder / "floor"
    state = folder / "state"
    state.mkdir(parents=True)
    for name, text in FLOOR.items():
        (folder / name).write_text(text)
    floor = Scratch(folder, {**installation.project.env, "PULUMI_BACKEND_URL": f"file://{state}"})
    floor.output("pulumi", "stack", "init", "local")
    floor.output("pulumi", "up", "--yes", "--skip-preview", "--stack", "local")
    return floor


def _preview(program: Scratch) -> float:
    started = time.monotonic()
    program.output("pulumi", "preview", "--stack", "local", "--expect-no-changes")
    return time.monotonic() - started
