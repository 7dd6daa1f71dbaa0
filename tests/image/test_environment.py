"""Each variable of MLflow that holds a secret or opens something was looked at; environment.yaml has the result."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.image.container import Unpacked
from tests.unit.server import containers, everything, templates, variables

REVIEWED: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("environment.yaml").read_text())
NAME = re.compile(r"""["'](_?MLFLOW_[A-Z0-9_]+)["']""")
TELLING = re.compile(
    r"SECRET|_KEY(_|$)|TOKEN|PASS|CREDENTIAL|KEK|ALLOW|INSECURE|AUTH|ORIGINS|SECURITY|CLOSED|UNSAFE|TLS|REMOTE|ENABLE_CUSTOM"
)


def read_by(image: Unpacked) -> Iterator[str]:
    """Yield the variables that the image's MLflow knows and whose names tell that they matter."""
    for file in image.root.glob("opt/mlflow/lib/python3*/site-packages/mlflow/**/*.py"):
        yield from filter(TELLING.search, NAME.findall(file.read_text()))


def test_every_variable_of_this_release_was_looked_at(image: Unpacked) -> None:
    assert set(read_by(image)) == set(REVIEWED["set"]) | set(REVIEWED["left"])


def test_what_is_said_to_be_set_is_set_in_the_server() -> None:
    (server,) = [made for made in containers(templates(everything())["mlflow-server"]["spec"]) if made.get("env")]

    assert set(REVIEWED["set"]) <= set(variables(server))
    assert not set(REVIEWED["left"]) & set(variables(server))
