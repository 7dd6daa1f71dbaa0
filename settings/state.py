"""What the stack is deployed with already, by setting: where its data lies and with which keys, as Pulumi remembers it.

Owns where in Pulumi's state each setting is found again. Leaves to `continuity` which of them may be changed.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

import pulumi

Outputs: TypeAlias = Mapping[str, Any]

_UNREADABLE = "failed to load checkpoint"
_WRITTEN_SECONDS, _POLL_SECONDS = 5, 0.05

_STACK = "pulumi:pulumi:Stack"
_INSTANCE = "mlflow:gcp:CloudSqlPostgres$gcp:sql/databaseInstance:DatabaseInstance"
_DATABASE = "mlflow:gcp:CloudSqlPostgres$gcp:sql/database:Database"
_BUCKET = "mlflow:gcp:ArtifactBucket$gcp:storage/bucket:Bucket"
_BACKUPS = "mlflow:gcp:BackupBucket$gcp:storage/bucket:Bucket"
_PASSPHRASE = "mlflow:kubernetes:Encryption$random:index/randomPassword:RandomPassword"  # noqa: S105 - a type


def deployed() -> dict[str, str]:
    """Return the settings that are found again in the stack's state, by key; none before its first deployment is done.

    A resource that is no longer there, since it was deleted by hand, holds no data and tells nothing.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    resources = _resources(name)
    passphrases = sum(_kind(urn) == _PASSPHRASE for urn in resources)
    return dict(_settings({_kind(urn): each["outputs"] for urn, each in resources.items()}, passphrases))


def _resources(stack: str) -> Mapping[str, Outputs]:
    """Return the resources in a stack's state, by URN.

    The engine writes the state meanwhile. Where that is a file, the attributes beside it are not replaced at once
    (gocloud.dev/blob/fileblob), and for a moment the state cannot be read.
    """
    end = time.monotonic() + _WRITTEN_SECONDS
    while True:
        try:
            # As a StackReference asks, of resources, and so that the answer is there before anything is registered.
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack}).value
            return cast("Mapping[str, Outputs]", answer["outputs"])
        except Exception as error:  # the SDK raises no other class
            if _UNREADABLE not in str(error) or time.monotonic() > end:
                raise
        time.sleep(_POLL_SECONDS)


def _kind(urn: str) -> str:
    """Return a resource's type, after that of the component that it belongs to."""
    return "$".join(urn.split("::")[2].split("$")[-2:])


def _settings(found: Mapping[str, Outputs], passphrases: int) -> Iterator[tuple[str, str]]:
    """Yield key and value of each setting.

    Args:
        found: the outputs of resources by their kind.
        passphrases: how many there are: one for each generation of keys, and the next one.

    """
    if not found.get(_STACK):  # a first deployment that failed half-way: nobody has logged anything
        return
    if _BUCKET in found:
        yield "mlflow:bucketName", found[_BUCKET]["name"]
        yield "mlflow:durable", "true" if _BACKUPS in found else "false"
    if _INSTANCE in found:
        instance = found[_INSTANCE]
        yield "gcp:project", instance["project"]
        yield "mlflow:region", instance["region"]
        yield "mlflow:databaseInstance", instance["name"]
        yield "mlflow:databaseVersion", instance["databaseVersion"]
        yield "mlflow:network", instance["settings"]["ipConfiguration"].get("privateNetwork") or ""
        yield "mlflow:databaseUser", found[_DATABASE]["name"] if _DATABASE in found else "postgres"
        if passphrases:
            yield "mlflow:encryptionGeneration", str(passphrases - 1)
