"""What every workflow keeps to: pins, rights, time limits, and commands that exist."""

import re
from pathlib import Path

import pytest
import yaml

from tests.workflows.__main__ import PROJECT
from tests.workflows.files import FILES, STACK_ACTION, Job, job, jobs, steps, workflow

RIGHTS = {
    ("tests", "tests"): {"contents": "read"},
    ("preview", "preview"): {"contents": "read", "id-token": "write"},
    ("preview", "comment"): {"pull-requests": "write"},
    ("deploy", "deploy"): {"contents": "read", "id-token": "write"},
    ("drift", "drift"): {"contents": "read", "id-token": "write"},
    ("drift", "report"): {"issues": "write"},
}
"""What each job may do, and no more; a new one has to be added here."""
ALL = pytest.mark.parametrize("made", list(jobs()), ids=lambda made: f"{made.workflow}-{made.name}")


def test_every_action_is_pinned_by_its_digest_and_says_its_version() -> None:
    used = [line for file in [*FILES, STACK_ACTION] for line in file.read_text().splitlines() if "uses:" in line]
    foreign = [line for line in used if "./.github/actions/stack" not in line]

    assert foreign
    assert [
        line for line in foreign if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
    ] == []


def test_an_action_has_one_version_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for step in steps():
        name, _, digest = str(step.get("uses", "")).partition("@")
        versions.setdefault(name, set()).add(digest)

    assert {name: digests for name, digests in versions.items() if len(digests) > 1} == {}


@ALL
def test_a_job_has_the_least_rights_and_says_them_itself(made: Job) -> None:
    assert made.content["permissions"] == RIGHTS[made.workflow, made.name]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_itself_has_no_rights_and_takes_turns(file: Path) -> None:
    content = workflow(file)

    assert content["permissions"] == {}
    assert content["concurrency"]["group"]
    assert content["defaults"]["run"]["shell"] == "bash"


@ALL
def test_a_job_has_a_time_limit(made: Job) -> None:
    assert 0 < made.content["timeout-minutes"] <= 180


def test_a_checkout_leaves_no_credentials_behind() -> None:
    checkouts = [step for step in steps() if str(step.get("uses", "")).startswith("actions/checkout@")]

    assert len(checkouts) == 4
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * 4


def test_no_secret_is_kept_at_github() -> None:
    for file in [*FILES, STACK_ACTION]:
        assert "secrets." not in file.read_text()


def test_no_script_is_put_together_from_what_others_wrote() -> None:
    assert [step["run"] for step in steps() if "${{" in str(step.get("run", ""))] == []


def test_a_fork_gets_no_preview() -> None:
    triggers = {trigger for file in FILES for trigger in workflow(file)[True]}

    assert triggers == {"push", "pull_request", "schedule", "workflow_dispatch"}
    condition = job("preview", "preview").content["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition


def test_nothing_is_applied_outside_the_environment() -> None:
    applying = [made for made in jobs() if any("make deploy" in str(step.get("run")) for step in made.steps)]

    assert [(made.workflow, made.content["environment"]) for made in applying] == [("deploy", "production")]
    deploy = workflow(PROJECT / ".github" / "workflows" / "deploy.yml")
    assert deploy[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    assert deploy["concurrency"]["cancel-in-progress"] is False


def test_a_report_is_written_even_where_there_is_no_output() -> None:
    downloads = [step for step in steps() if str(step.get("uses", "")).startswith("actions/download-artifact@")]

    assert [step["continue-on-error"] for step in downloads] == [True, True]


def test_the_cluster_s_credentials_outlast_a_token() -> None:
    (gcloud,) = [step for step in steps() if "/setup-gcloud@" in str(step.get("uses"))]

    assert gcloud["with"]["install_components"] == "gke-gcloud-auth-plugin"
    assert not any("get-gke-credentials@" in str(step.get("uses")) for step in steps())


def test_every_make_target_that_a_workflow_calls_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    called = {name for step in steps() for name in re.findall(r"\bmake ([a-z-]+)", str(step.get("run", "")))}
    tested = job("tests", "tests").content["strategy"]["matrix"]["target"]

    assert called == {"preview", "deploy", "drift"}
    assert tested == ["test", "test-day-two", "test-release"]
    assert {*called, *tested} <= set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert any('make "$TARGET"' in str(step.get("run")) for step in job("tests", "tests").steps)


def test_pulumi_is_of_the_version_of_the_requirements() -> None:
    (installed,) = [step["with"]["pulumi-version"] for step in steps() if "pulumi/actions@" in str(step.get("uses"))]

    assert f"pulumi=={installed} " in (PROJECT / "requirements.txt").read_text()


def test_every_variable_is_explained() -> None:
    named = {name for file in FILES for name in re.findall(r"vars\.(\w+)", file.read_text())}
    page = (PROJECT / "docs" / "gke.md").read_text()

    assert named
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_what_is_built_is_kept_under_the_pins_it_follows_from() -> None:
    (cache,) = [step["with"] for step in job("tests", "tests").steps if "actions/cache@" in str(step.get("uses"))]
    globs = re.findall(r"'([^']+)'", cache["key"])
    hashed = {path for pattern in globs for path in PROJECT.glob(pattern)}
    files = [path for folder in ("images", "local", "tests") for path in (PROJECT / folder).rglob("*")]
    pins = {path for path in files if path.suffix in {".go", ".mod", ".sum", ".in"} or path.name == "requirements.txt"}
    builders = {path for path in files if path.match("local/*/*.py") and " cached(" in path.read_text()}

    assert pins
    assert builders
    assert (pins | builders) - hashed == set()
    assert [pattern for pattern in globs if not any(PROJECT.glob(pattern))] == []
    assert yaml.safe_load(cache["path"]) == "~/.cache/mlflow-local"
