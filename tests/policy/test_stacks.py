"""The pack in the real engine, as people run it: `pulumi preview --policy-pack policy`."""

import pytest

from tests.policy.conftest import Setup
from tests.policy.example import DIGEST
from tests.scratch import Scratch

STACKS: dict[str, dict[str, str]] = {
    "dev": {"mlflow:authorizedNetworks[0]": "192.0.2.7/32"},
    "local": {},
    "prod": {
        "kubernetes:context": "a-cluster",
        "mlflow:network": "projects/a-project/global/networks/a-network",
        "mlflow:image": f"registry.example/mlflow-tracking-server@{DIGEST}",
        "mlflow:host": "mlflow.example",
    },
}
"""Every stack with the settings that its file leaves to its people."""
PROVIDERS = """
import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pulumi_random as random

google = pulumi.ResourceOptions(provider=gcp.Provider("google", project="a-project", access_token="none"))
cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", context="none"))
generator = pulumi.ResourceOptions(provider=random.Provider("generator"))
"""
OPEN = """
generated = random.RandomPassword("generated", length=32, opts=generator)
gcp.storage.Bucket("open", name="open", location="EU", force_destroy=True, opts=google)
kubernetes.core.v1.ConfigMap(
    "uri",
    metadata={"name": "uri", "namespace": "mlflow"},
    data={"uri": "postgresql://me:hunter2@host/db", "motto": pulumi.Output.secret("hunter2")},
    opts=cluster,
)
kubernetes.core.v1.ConfigMap(
    "generated",
    metadata={"name": "generated", "namespace": "mlflow"},
    data={"motto": generated.result},
    opts=cluster,
)
"""
KEPT = """
gcp.storage.Bucket(
    "kept",
    name="kept",
    location="EU",
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    opts=google,
)
"""


def preview(project: Scratch) -> tuple[int, str]:
    """Run a preview with the pack; return its status and what it said."""
    done = project.run("pulumi", "preview", "--policy-pack", "policy", "--color", "never")
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_of_the_program_meets_every_policy(select: Setup, stack: str) -> None:
    status, said = preview(select(stack, STACKS[stack]))

    assert status == 0, said
    assert "✅ mlflow@" in said
    assert "can't run policy" not in said


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (
            OPEN,
            {
                "Bucket open: uniformBucketLevelAccess is not set: set it to true": "buckets-have-uniform-access",
                "Bucket open: publicAccessPrevention is not set: set it to enforced": "buckets-prevent-public-access",
                "ConfigMap uri: data.uri has what is secret in the open": "credentials-come-from-secrets",
                "ConfigMap uri: data.motto has what is secret in the open": "credentials-come-from-secrets",
                "ConfigMap generated: data is made of a RandomPassword": "config-maps-are-not-made-of-secrets",
            },
        ),
        (
            KEPT,
            {
                "Bucket kept: versioning.enabled is not set": "durable-buckets-keep-what-is-overwritten",
                "Bucket kept: the resource option protect is not set": "durable-data-is-protected",
            },
        ),
    ],
    ids=["in every stack", "in a durable stack"],
)
def test_a_program_that_breaks_rules_is_told_which_and_how_to_mend_it(
    select: Setup, resources: str, expected: dict[str, str]
) -> None:
    project = select("dev", {})
    program = project.folder / "__main__.py"
    original = program.read_text()
    program.write_text(PROVIDERS + resources)
    try:
        status, said = preview(project)
    finally:
        program.write_text(original)

    assert status != 0
    assert {line.split()[2] for line in said.splitlines() if "[mandatory]" in line} == {*expected.values()}, said
    assert [message for message in expected if message not in said] == []
