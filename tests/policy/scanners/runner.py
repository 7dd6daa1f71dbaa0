"""Runs a scanner on a file and returns its findings."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tests.policy.scanners.finding import Finding
from tests.policy.scanners.tools import checkov, kube_score

KUBERNETES_VERSION = "v1.34"
_PASSED = 10
_GENERATED = re.compile(r"-[0-9a-f]{8}$")


def run_checkov(framework: str, document: Mapping[str, Any]) -> set[Finding]:
    """Return what checkov finds in a document of a framework, `kubernetes` or `terraform_plan`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scanned.json"
        file.write_text(json.dumps(document))
        words = ["--file", file, "--framework", framework, "--output", "json", "--skip-download", "--compact"]
        answer: Any = json.loads(_output([*checkov(), *words], {0, 1}))
    reports = cast("list[dict[str, Any]]", answer if isinstance(answer, list) else [answer])
    errors = [error for report in reports for error in report.get("results", {}).get("parsing_errors", [])]
    assert not errors, f"checkov cannot read {errors}"
    return {
        Finding(failed["check_id"], _checkov_name(failed["resource"]))
        for report in reports
        for failed in report.get("results", {}).get("failed_checks", [])
    }


def _checkov_name(resource: str) -> str:
    """Return kind and name of `Deployment.mlflow.server` or `google_storage_bucket.artifacts`, no namespace."""
    kind, _, rest = resource.partition(".")
    return stable(kind, rest.partition(".")[2] or rest)


def run_kube_score(document: Mapping[str, Any]) -> set[Finding]:
    """Return what kube-score finds in a list of Kubernetes objects."""
    text = "\n---\n".join(json.dumps(item) for item in document["items"])
    words = ["score", "--output-format", "json", "--kubernetes-version", KUBERNETES_VERSION, "-"]
    scored: list[dict[str, Any]] = json.loads(_output([kube_score(), *words], {0, 1}, stdin=text)) or []
    return {
        Finding(check["check"]["id"], stable(one["type_meta"]["kind"], one["object_meta"]["name"]))
        for one in scored
        for check in one["checks"]
        if not check["skipped"] and check["grade"] < _PASSED
    }


def stable(kind: str, name: str) -> str:
    """Return kind and name, without the digits that Pulumi puts behind the names that it makes up."""
    return f"{kind}/{_GENERATED.sub('', name)}"


def _output(words: list[str | Path], accepted: set[int], stdin: str | None = None) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, input=stdin)
    assert done.returncode in accepted, f"{words[0]} ended with status {done.returncode}:\n{done.stderr}"
    return done.stdout
