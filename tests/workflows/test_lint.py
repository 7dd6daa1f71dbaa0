"""What `make lint` finds in workflows, and that it finds it."""

from pathlib import Path

from tests.workflows.__main__ import PROJECT, findings

WORKFLOW = """\
name: Greeting
on: pull_request
permissions: {}
concurrency:
  group: greeting-${{ github.ref }}
  cancel-in-progress: true
jobs:
  greet:
    name: greet
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - run: RUN
"""


def found_in(folder: Path, script: str) -> str:
    """Return what is found where a workflow runs a script."""
    (folder / ".github" / "workflows").mkdir(parents=True)
    (folder / ".github" / "workflows" / "greeting.yml").write_text(WORKFLOW.replace("RUN", script))
    return findings(folder)


def test_the_workflows_of_the_project_are_clean() -> None:
    assert findings(PROJECT) == ""


def test_a_title_that_would_be_run_as_a_command_is_found(tmp_path: Path) -> None:
    found = found_in(tmp_path, 'echo "${{ github.event.pull_request.title }}"')

    assert "potentially untrusted" in found


def test_a_shell_script_is_read_by_shellcheck(tmp_path: Path) -> None:
    found = found_in(tmp_path, "cd somewhere; rm *")

    assert "SC2035" in found or "SC2164" in found


def test_an_action_that_is_named_by_its_tag_is_found(tmp_path: Path) -> None:
    found = found_in(tmp_path, "echo hello\n      - uses: actions/setup-node@v6")

    assert "unpinned-uses" in found
