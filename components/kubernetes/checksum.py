"""The checksum by which pods follow their configuration.

ConfigMaps and Secrets are changed in place, which no running pod would notice; with the checksum of their content among
the annotations of the pod template, a change of content is a change of the template, and the Deployment rolls.
"""

import hashlib
import json
from collections.abc import Mapping

import pulumi


def checksum(content: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """Return the SHA-256 (hex) of the content."""
    return pulumi.Output.all(**content).apply(
        lambda values: hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    )
