"""A setting that can't work ends the program before anything is made."""

import pytest

from tests.scratch import Scratch


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("mlflow:region", "asia-nowhere1", "asia-nowhere1"),
        ("mlflow:databaseTier", "db-custom-3-3840", "db-custom-3-3840"),
        ("mlflow:authorizedNetworks[0]", "0.0.0.0/0", "0.0.0.0/0"),
        ("mlflow:nodePort", "8080", "8080"),
        ("mlflow:image", "mlflow-tracking-server:latest", "latest"),
        ("mlflow:replica", "2", "mlflow:replicas"),
    ],
)
def test_a_bad_setting_ends_the_update_before_anything_is_made(dev: Scratch, key: str, value: str, said: str) -> None:
    dev.output("pulumi", "config", "set", "--path", key, value)

    done = dev.run("pulumi", "up", "--yes", "--skip-preview", "--color", "never")

    assert done.returncode != 0
    assert key.split("[", maxsplit=1)[0] in done.stdout
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert "pulumi:providers" not in dev.output("pulumi", "stack", "export")


@pytest.mark.parametrize(
    ("key", "value", "type_"),
    [("mlflow:replicas", "two", "integer"), ("mlflow:authorizedNetworks", "192.0.2.7/32", "array<string>")],
)
def test_a_value_of_another_type_is_refused_as_the_readme_quotes_it(
    dev: Scratch, key: str, value: str, type_: str
) -> None:
    dev.output("pulumi", "config", "set", key, value)

    done = dev.run("pulumi", "preview", "--color", "never")

    assert done.returncode != 0
    assert f"configuration key '{key.removeprefix('mlflow:')}' must be of type '{type_}'" in done.stdout + done.stderr


def test_a_missing_project_is_named_with_the_command_that_sets_it(dev: Scratch) -> None:
    dev.output("pulumi", "config", "rm", "gcp:project")

    done = dev.run("pulumi", "preview", "--color", "never")

    assert done.returncode != 0
    assert "pulumi config set gcp:project" in done.stdout
