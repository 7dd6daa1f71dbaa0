"""Who the server is in the cluster: a ServiceAccount of its own without any right there.

On GKE it may be a Google service account as well (Workload Identity); `components.gcp.server_identity` has the other
half of that.
"""

import pulumi
import pulumi_kubernetes as kubernetes


def server_account(
    name: str,
    *,
    namespace: pulumi.Input[str],
    account: str,
    google_account: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make the ServiceAccount `account` and return its name; `google_account` is the address of who its pods are."""
    annotations = {} if google_account is None else {"iam.gke.io/gcp-service-account": google_account}
    return kubernetes.core.v1.ServiceAccount(
        f"{name}-account",
        metadata={"name": account, "namespace": namespace, "annotations": annotations},
        automount_service_account_token=False,
        opts=opts,
    ).metadata.name
