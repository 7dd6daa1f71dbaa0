"""All policies of the pack."""

from pulumi_policy import Policy

from policy import durable, durable_workloads, google, grants, images, kubernetes, pods, rbac, secrets

POLICIES: tuple[Policy, ...] = (
    *google.POLICIES,
    *grants.POLICIES,
    *secrets.POLICIES,
    *kubernetes.POLICIES,
    *pods.POLICIES,
    *images.POLICIES,
    *rbac.POLICIES,
    *durable.POLICIES,
    *durable_workloads.POLICIES,
)
