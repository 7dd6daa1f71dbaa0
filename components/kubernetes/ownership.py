"""Whose word counts where somebody else changed a field that the program sets: the program's.

Otherwise Kubernetes calls it a conflict, and `pulumi up` could not mend drift. It stays one at the namespace, which a
label gives an owner: Pulumi would take over the one of another stack, and delete it with its own.
"""

from typing import Any, cast

import pulumi

_FORCE = "pulumi.com/patchForce"


def overruling(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Return an object of Kubernetes with the annotation by which Pulumi takes its fields back (a transformation)."""
    if not args.type_.startswith("kubernetes:") or args.type_ == "kubernetes:core/v1:Namespace":
        return None
    metadata = cast("dict[str, Any]", args.props["metadata"])
    annotations = {**metadata.get("annotations", {}), _FORCE: "true"}
    props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
    return pulumi.ResourceTransformationResult(props, args.opts)
