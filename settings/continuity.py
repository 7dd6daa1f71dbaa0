"""Which settings decide where data lies, and with which keys: a change that would hide it, or leave it, is refused.

All other settings may change on a living stack; docs/day-two.md says what those do that one might wonder about.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from settings.rule import shown
from settings.together import Problem

if TYPE_CHECKING:
    from settings import Settings

_BECAUSE = {
    "gcp:project": "database and bucket would be made anew there, empty",
    "mlflow:region": "database and bucket would be made anew there, empty",
    "mlflow:databaseInstance": "the server would get an instance of that name, empty",
    "mlflow:databaseUser": "the server would get a database of that name, empty",
    "mlflow:databaseVersion": "PostgreSQL does not go back to an earlier version",
    "mlflow:network": "Google takes a private address away with the whole instance only",
    "mlflow:bucketName": "the server would get a bucket of that name, empty, and miss the artifacts of all runs",
    "mlflow:durable": "backups would end, and those there are would be left behind",
    "mlflow:encryptionGeneration": "what later keys encrypted in the database could not be read any more",
}
_REMEDY = (
    "set it back, or take what there is over into a new stack (docs/day-two.md, Back up and restore); who wants to lose"
    " it types `pulumi destroy` first"
)


def problems(settings: "Settings", deployed: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is to be said of settings that differ from those that the stack is deployed with.

    Args:
        settings: of this run.
        deployed: the settings by key, as far as they are known.

    """
    wanted = {
        "gcp:project": settings.project,
        "mlflow:region": settings.region,
        "mlflow:databaseInstance": settings.database_instance,
        "mlflow:databaseUser": settings.database_user,
        "mlflow:databaseVersion": settings.database_version,
        "mlflow:network": settings.network or "",
        "mlflow:bucketName": settings.bucket_name,
        "mlflow:durable": "true" if settings.durable else "false",
        "mlflow:encryptionGeneration": str(settings.encryption_generation),
    }
    for key, because in _BECAUSE.items():
        before, now = deployed.get(key, wanted[key]), wanted[key]
        if before != now and not _harmless(key, before, now):
            yield key, now, f"the stack is deployed with {shown(before)}, and {because}; {_REMEDY}", ()


def _harmless(key: str, before: str, now: str) -> bool:
    """Tell whether data stays where it is: of some settings only one direction takes it away."""
    return (
        (key == "mlflow:databaseVersion" and _major(before) < _major(now))
        or (key == "mlflow:network" and bool(now))
        or (key == "mlflow:durable" and now == "true")
        or (key == "mlflow:encryptionGeneration" and int(before) < int(now))
    )


def _major(version: str) -> int:
    """Return the number in a version such as POSTGRES_14."""
    return int(version.rpartition("_")[2])
