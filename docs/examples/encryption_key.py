"""Has Cloud SQL encrypt database and backups with a key of your own (CMEK).

In `__main__.py`, below the same line, before the components are made:

    from docs.examples.encryption_key import encrypted_with
    pulumi.runtime.register_resource_transform(encrypted_with("projects/<project>/locations/<region>/keyRings/…"))
"""

import pulumi

_INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"


def encrypted_with(key: str) -> pulumi.ResourceTransform:
    """Return the transform for a key, `projects/P/locations/L/keyRings/R/cryptoKeys/K`, in the instance's region."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != _INSTANCE:
            return None
        return pulumi.ResourceTransformResult({**args.props, "encryptionKeyName": key}, args.opts)

    return transform
