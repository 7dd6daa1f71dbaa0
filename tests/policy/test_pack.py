"""The pack as a whole."""

import os
import re
import select
import subprocess
import sys
from types import ModuleType

import pytest
from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy

from policy import durable, durable_workloads, google, grants, images, kubernetes, pods, rbac, secrets
from policy.pack import POLICIES
from tests.policy.example import STACK
from tests.policy.resources import violations
from tests.scratch import PROJECT

MODULES = [durable, durable_workloads, google, grants, images, kubernetes, pods, rbac, secrets]
SOURCES = (
    *("CIS Google Cloud", "CIS Kubernetes", "CIS GKE", "Pod Security Standards", "NSA/CISA", "OWASP", "kube-score"),
    *("Google's", "Pulumi's", "Kubernetes documentation"),
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_policy_that_is_written_is_in_the_pack(module: ModuleType) -> None:
    written = [value for value in vars(module).values() if isinstance(value, Policy)]

    assert written
    assert set(written) <= set(POLICIES)


def test_every_policy_has_a_name_of_its_own_and_a_line_that_says_the_source_of_its_rule() -> None:
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)
    for policy in POLICIES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", policy.name)
        assert policy.description.startswith(SOURCES), policy.description
        assert ": " in policy.description
        assert "\n" not in policy.description


def test_no_policy_is_weaker_than_mandatory() -> None:
    assert {policy.enforcement_level for policy in POLICIES} == {None, EnforcementLevel.REMEDIATE}
    assert "enforcement_level=EnforcementLevel.MANDATORY" in (PROJECT / "policy" / "__main__.py").read_text()


@pytest.mark.parametrize("name", STACK)
def test_a_resource_without_a_fault_meets_every_policy(name: str) -> None:
    policies = [
        policy for policy in POLICIES if isinstance(policy, ResourceValidationPolicy) and policy not in secrets.POLICIES
    ]

    assert [said for policy in policies for said in violations(policy, *STACK[name])] == []


def test_the_pack_runs_on_the_program_s_own_sdk() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z][a-z-]*==\S+", (PROJECT / name).read_text(), flags=re.MULTILINE))

    (policies,) = pins("policy/requirements.txt") - pins("requirements.txt")
    assert policies.startswith("pulumi-policy==")


def test_the_pack_tells_its_port_whether_or_not_python_buffers_what_it_prints() -> None:
    served = subprocess.Popen(
        [sys.executable, PROJECT / "policy", "127.0.0.1:1"],
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
    )
    try:
        assert served.stdout is not None
        assert select.select([served.stdout], [], [], 60)[0], "nothing in 60 s"
        assert int(served.stdout.readline()) > 0
    finally:
        served.kill()
        served.communicate()
