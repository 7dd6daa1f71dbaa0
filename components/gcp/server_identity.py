"""Who the server is at Google Cloud: a service account that may use one bucket and nothing else.

Owns the account, its one grant, and how the server proves to be it: as a Kubernetes account, or by a key. Leaves to the
Kubernetes layer how either reaches the pod.
"""

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

_SHORTEST, _LONGEST = 6, 30


def account_id(name: str) -> str:
    """Return a service account id for a name of lower-case letters, digits and hyphens: itself, or cut and told apart.

    cloud.google.com/iam/docs/service-accounts-create says how long an id may be.
    """
    if _SHORTEST <= len(name) <= _LONGEST:
        return name
    return f"{name[:21].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, kw_only=True)
class ServerIdentityArgs:
    """What a ServerIdentity needs; what decides which resources exist is plain."""

    account_id: str
    """Name of the service account, 6 to 30 lower-case letters, digits and hyphens."""
    bucket: pulumi.Input[str]
    """Name of the only bucket the account may use."""
    kubernetes_account: str | None
    """Member name of the Kubernetes account that may act as it, `<project>.svc.id.goog[<namespace>/<name>]`."""
    with_key: bool
    """Whether to make a key."""


class ServerIdentity(pulumi.ComponentResource):
    """A service account with the right to read and write the objects of one bucket."""

    email: pulumi.Output[str]
    """Address of the service account."""
    key: pulumi.Output[str] | None
    """Key file (JSON, base64), a secret; None where no key was asked for."""

    def __init__(self, name: str, args: ServerIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:ServerIdentity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            name, account_id=args.account_id, display_name="MLflow tracking server", opts=child
        )
        gcp.storage.BucketIAMMember(
            f"{name}-bucket",
            bucket=args.bucket,
            role="roles/storage.objectUser",
            member=pulumi.Output.concat("serviceAccount:", account.email),
            opts=child,
        )
        if args.kubernetes_account is not None:
            gcp.serviceaccount.IAMMember(
                f"{name}-workload-identity",
                service_account_id=account.name,
                role="roles/iam.workloadIdentityUser",
                member=f"serviceAccount:{args.kubernetes_account}",
                opts=child,
            )
        self.email = account.email
        self.key = None
        if args.with_key:
            key = gcp.serviceaccount.Key(f"{name}-key", service_account_id=account.name, opts=child)
            self.key = pulumi.Output.secret(key.private_key)
        self.register_outputs({"email": self.email, "key": self.key})
