"""What others' scanners find in the deployed stack is mended, or stays for a reason."""

import json

from tests.policy.scanners import problems, scan_google, scan_manifests
from tests.policy.scanners.manifests import KINDS
from tests.production.rehearsal import STACK, Rehearsal


def test_checkov_and_kube_score_find_nothing_that_has_no_reason(rehearsal: Rehearsal) -> None:
    found = scan_manifests(json.loads(rehearsal.kubectl("get", KINDS, "--output", "json")))
    found |= scan_google(json.loads(rehearsal.project.output("pulumi", "stack", "export", "--stack", STACK)))

    assert problems(found) == []
