"""`make up` and `make down` without root and without Go, by Docker's, minikube's and Pulumi's own programs."""

import mlflow
from mlflow.artifacts import load_text

from tests.e2e import machine
from tests.plain_user.conftest import INSTANCE, PROGRAMS, Person


def test_without_root_and_without_go_make_up_works_and_make_down_leaves_nothing(person: Person) -> None:
    before = machine.trace(INSTANCE, with_engine=False), person.left()

    made = person.run("make", "up")
    assert made.returncode == 0, made.stdout + made.stderr
    assert f"using {', '.join(f'{person.programs}/{name}' for name in PROGRAMS)}" in made.stderr
    mlflow.set_tracking_uri(made.stdout.strip().splitlines()[-1])
    with mlflow.start_run(experiment_id="0") as run:  # tests before may have chosen another one for this process
        mlflow.log_metric("accuracy", 0.97)
        mlflow.log_text("of a person", "note.txt")
    assert load_text(f"{run.info.artifact_uri}/note.txt") == "of a person"
    kinds = {line.partition(" ")[0] for line in person.left()}
    assert {"process", "file", "container", "network", "volume"} <= kinds

    removed = person.run("make", "down")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert (machine.trace(INSTANCE, with_engine=False), person.left()) == before
