"""What a scanner finds."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a resource does not meet.

    Attributes:
        id: the rule, such as CKV_K8S_8 or container-resources.
        resource: kind and name, such as Deployment/mlflow-tracking-server.

    """

    id: str
    resource: str
