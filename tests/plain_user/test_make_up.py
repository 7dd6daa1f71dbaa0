"""`make up` and `make down` without root and without Go, by Docker's, minikube's and Pulumi's own programs."""

import mlflow
from mlflow.artifacts import load_text

from local.minikube import docker
from tests.e2e import machine
from tests.plain_user.conftest import INSTANCE, Person


def test_without_root_and_without_go_make_up_works_and_make_down_leaves_nothing(person: Person) -> None:
    before = machine.trace(INSTANCE)

    made = person.run("make", "up")
    assert made.returncode == 0, made.stdout + made.stderr
    programs = person.project.folder.parents[1] / "bin"
    assert f"using {programs}/docker, {programs}/minikube, {programs}/kubectl, {programs}/pulumi" in made.stderr
    mlflow.set_tracking_uri(made.stdout.strip().splitlines()[-1])
    with mlflow.start_run() as run:
        mlflow.log_metric("accuracy", 0.97)
        mlflow.log_text("of a person", "note.txt")
    assert load_text(f"{run.info.artifact_uri}/note.txt") == "of a person"
    assert not docker.FOLDER.exists() or INSTANCE.name not in {
        user.name for user in (docker.FOLDER / "users").iterdir()
    }

    removed = person.run("make", "down")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert machine.trace(INSTANCE) == before
