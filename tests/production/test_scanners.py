"""What others' scanners find in the deployed stack is mended, or stays for a reason."""

import json

from local.process import wait_for
from tests.policy.scanners import problems, scan_google, scan_manifests
from tests.policy.scanners.manifests import KINDS
from tests.production.rehearsal import STACK, Rehearsal


def test_checkov_and_kube_score_find_nothing_that_has_no_reason(rehearsal: Rehearsal) -> None:
    # The autoscaler gives a new Deployment its second pod, and the scanners ask more of two.
    wait_for(rehearsal.settled, what="the autoscaler's pods", deadline=180)

    found = scan_manifests(json.loads(rehearsal.kubectl("get", KINDS, "--output", "json")))
    found |= scan_google(json.loads(rehearsal.project.output("pulumi", "stack", "export", "--stack", STACK)))

    assert problems(found) == []
