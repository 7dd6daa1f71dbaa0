"""The documentation: what it names exists, and what is generated is up to date."""

import re
import runpy
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pulumi
import pytest

from docs import picture, settings_table
from docs.arrows import Graph
from docs.graph import SETTINGS, Resource
from local.__main__ import COMMANDS
from tests.unit.conftest import PROJECT, Configure, schema
from tests.unit.engine import deploy

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
PROVIDER_SETTINGS = {"gcp:project", "kubernetes:context"}


def code(page: Path) -> Iterator[str]:
    """Yield everything that stands in a page as code, in blocks and in lines."""
    text = page.read_text()
    for block, span in re.findall(r"^ *```\w*\n(.*?)^ *```$|`+([^`\n]+)`+", text, flags=re.DOTALL | re.MULTILINE):
        yield block or span


def named(pattern: str) -> set[str]:
    """Return what the code of all pages says after a pattern; there has to be something."""
    found = {name for page in PAGES for piece in code(page) for name in re.findall(pattern, piece)}
    assert found, pattern
    return found


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def graph(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Graph:
    """The resources that the program registers, named as in the picture."""
    configure({"gcp:project": SETTINGS["gcp:project"]})
    exports: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exports.__setitem__)

    def program() -> dict[str, pulumi.Output[None] | None]:
        runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")
        return {}

    return {
        made.urn: Resource(made.urn, made.type, made.parent, made.inputs, made.dependencies)
        for made in sorted(deploy(program, preview=True).registrations, key=lambda made: made.urn)
        if not made.type.startswith("pulumi:")
    }


def test_the_table_of_settings_is_the_one_of_the_schema() -> None:
    readme = (PROJECT / "README.md").read_text()

    assert settings_table.filled(readme) == readme, "run `make docs`"


def test_the_table_has_a_line_for_every_setting_of_the_schema() -> None:
    assert re.findall(r"^\| `([^`]+)` \|", settings_table.table(), flags=re.MULTILINE) == list(schema())


def test_the_picture_shows_the_resources_and_dependencies_of_the_program(graph: Graph) -> None:
    drawing = (PROJECT / "docs" / "architecture.svg").read_text()
    titles: dict[str, set[str]] = {"node": set(), "edge": set(), "cluster": set()}
    for kind, title in re.findall(r'class="(node|edge|cluster)">\n<title>(.*)</title>', drawing):
        titles[kind].add(unescape(title))
    dot = picture.dot(graph)

    assert titles["node"] == set(re.findall(r'^"([^"]+)" \[label', dot, flags=re.MULTILINE)), "run `make docs`"
    assert titles["cluster"] == set(re.findall(r'^subgraph "([^"]+)"', dot, flags=re.MULTILINE)), "run `make docs`"
    arrows = re.findall(r'^"([^"]+)" -> "([^"]+)" \[', dot, flags=re.MULTILINE)
    assert titles["edge"] == {f"{source}->{target}" for source, target in arrows}, "run `make docs`"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))

    assert named(r"\bmake ([a-z-]+)") <= targets


def test_every_command_of_the_local_installation_that_is_named_exists() -> None:
    assert named(r"\bpython3? -m local ([a-z]+)") <= set(COMMANDS)


def test_every_setting_that_is_named_exists() -> None:
    assert named(r"\b((?:mlflow|gcp|kubernetes):[a-zA-Z]+)\b") <= PROVIDER_SETTINGS | set(schema())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]
    broken: list[str] = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert links
    assert not broken
