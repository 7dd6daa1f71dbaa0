"""The scripts that write comments, issues and the kubeconfig, run as GitHub runs them, with stand-ins for programs."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflows.files import Job, job, stack_action

COMMENT, REPORT = "Write the comment, or write it anew", "Open the issue, write it anew, or close it"
STAND_IN = """#!/bin/sh
printf '%s\\n' "$*" >>calls
case "$*" in *--jq*) cat answer ;; esac
"""


@dataclass(frozen=True)
class Runner:
    """A folder in which a step runs; `gh` answers a question with `answer`, `gcloud` says nothing."""

    folder: Path

    def run(self, made: Job, step: str, answer: str, **env: str) -> list[str]:
        """Run a step and return the commands that the stand-ins were given."""
        (self.folder / "answer").write_text(answer)
        declared = next(one["env"] for one in made.steps if one.get("name") == step)
        # what GitHub would fill in
        filled = {name: "" if "${{" in value else value for name, value in declared.items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", made.script(step)],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **filled, **env, "PATH": f"{self.folder}:{os.environ['PATH']}"},
        )
        assert done.returncode == 0, done.stderr
        assert set(env) <= set(declared)
        return (self.folder / "calls").read_text().splitlines()

    def text(self, name: str) -> str:
        """Return a file that the step left."""
        return (self.folder / name).read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A folder with the stand-ins and what the job before wrote."""
    for program in ("gh", "gcloud"):
        (tmp_path / program).write_text(STAND_IN)
        (tmp_path / program).chmod(0o755)
    for name in ("preview.txt", "drift.txt"):
        (tmp_path / name).write_text("~ update ````x` @everybody\nResources: 1 to update\n")
    return Runner(tmp_path)


def comment(runner: Runner, answer: str) -> list[str]:
    """Run the comment's step."""
    places = {"COMMENTS": "repos/o/r/issues/7/comments", "EDIT": "repos/o/r/issues/comments", "RUN": "the run"}
    return runner.run(job("preview", "comment"), COMMENT, answer, RESULT="success", COMMIT="abc", **places)


def test_the_first_preview_is_a_new_comment(runner: Runner) -> None:
    assert comment(runner, "")[-1] == "api --silent --method POST repos/o/r/issues/7/comments --field body=@comment.md"


def test_a_later_preview_changes_the_comment_that_is_there(runner: Runner) -> None:
    calls = comment(runner, "41\n42\n")

    assert calls[-1] == "api --silent --method PATCH repos/o/r/issues/comments/41 --field body=@comment.md"
    assert len(calls) == 2


def test_only_a_comment_of_the_workflow_itself_is_looked_for(runner: Runner) -> None:
    question = comment(runner, "")[0]

    assert '.user.login == "github-actions[bot]"' in question
    assert 'startswith("<!-- pulumi preview of prod -->")' in question
    assert runner.text("comment.md").startswith("<!-- pulumi preview of prod -->\n")


def test_a_preview_cannot_end_its_block(runner: Runner) -> None:
    comment(runner, "")

    block = runner.text("comment.md").split("```")
    assert len(block) == 3
    assert "~ update ''''x' @everybody\nResources: 1 to update" in block[1]


def test_a_long_preview_keeps_its_end_and_fits(runner: Runner) -> None:
    (runner.folder / "preview.txt").write_text("ä" * 70_000 + "\nResources: 1 to update\n")
    comment(runner, "")

    assert "Resources: 1 to update" in runner.text("comment.md")
    assert len(runner.text("comment.md")) < 65_536


@pytest.mark.parametrize("left", [None, ""], ids=["nothing", "an empty file"])
def test_a_preview_that_did_not_begin_still_changes_the_comment(runner: Runner, left: str | None) -> None:
    leave(runner.folder / "preview.txt", left)
    calls = comment(runner, "41\n")

    assert calls[-1].startswith("api --silent --method PATCH")
    assert "There is no preview; the run says why: the run" in runner.text("comment.md")


def leave(file: Path, content: str | None) -> None:
    """Put what the job before left in place of its output; `None` is no file at all."""
    file.unlink()
    if content is not None:
        file.write_text(content)


def test_drift_opens_an_issue_that_says_what_drifted(runner: Runner) -> None:
    calls = runner.run(job("drift", "report"), REPORT, "", RESULT="failure", RUN="https://example.com/run")

    assert calls[-1].startswith("issue create --title Drift")
    assert calls[-1].endswith("--label drift --body-file issue.md")
    assert "Resources: 1 to update" in runner.text("issue.md")
    assert "https://example.com/run" in runner.text("issue.md")


def test_drift_that_lasts_changes_the_open_issue(runner: Runner) -> None:
    calls = runner.run(job("drift", "report"), REPORT, "12\n", RESULT="failure")

    assert calls[1:] == ["issue edit 12 --body-file issue.md"]


@pytest.mark.parametrize("left", [None, ""], ids=["nothing", "an empty file"])
def test_a_comparison_that_did_not_begin_opens_an_issue(runner: Runner, left: str | None) -> None:
    leave(runner.folder / "drift.txt", left)
    calls = runner.run(job("drift", "report"), REPORT, "", RESULT="failure", RUN="https://example.com/run")

    assert calls[-1].startswith("issue create --title Drift")
    assert "The comparison did not begin; the run says why: https://example.com/run" in runner.text("issue.md")


def test_drift_that_is_gone_closes_the_issue(runner: Runner) -> None:
    calls = runner.run(job("drift", "report"), REPORT, "12\n", RESULT="success", RUN="https://example.com/run")

    assert calls[1:] == ["issue close 12 --comment Nothing differs any more: https://example.com/run"]


def test_without_drift_nothing_is_written(runner: Runner) -> None:
    assert len(runner.run(job("drift", "report"), REPORT, "", RESULT="success")) == 1


def test_a_cluster_is_asked_for_by_its_name_project_and_location(runner: Runner) -> None:
    cluster = "projects/some-project/locations/asia-southeast1/clusters/mlflow"
    calls = runner.run(stack_action(), "Write the kubeconfig", "", CLUSTER=cluster)

    assert calls == ["container clusters get-credentials mlflow --project some-project --location asia-southeast1"]
