"""What a backup says of itself: manifest.json, written last, which makes it complete.

A backup is a folder of a bucket: database.sql.gz, artifacts/ and this.
"""

import json
from dataclasses import asdict, dataclass

from google.api_core.exceptions import NotFound

from operations.bucket import Folder, StoredObject
from operations.errors import UserError

DUMP = "database.sql.gz"
ARTIFACTS = "artifacts"
_NAME = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup is of, and every object in it.

    Attributes:
        stack: that it is of.
        time: when it was begun (RFC 3339); nothing of the database after the export's start is in it.
        image: the server's, whose release the tables are of.
        database: name of the database.
        runs: how many runs are in it.
        artifact_access: the stack's mlflow:artifactAccess.
        artifact_root: where the artifacts were.
        dump: the database.
        artifacts: by their names below the root.

    """

    stack: str
    time: str
    image: str
    database: str
    runs: int
    artifact_access: str
    artifact_root: str
    dump: StoredObject
    artifacts: dict[str, StoredObject]

    def write(self, folder: Folder) -> None:
        """Complete a backup with this."""
        content = {"format": _FORMAT, **asdict(self)}
        folder.blob(_NAME).upload_from_string(json.dumps(content, indent=1), content_type="application/json")

    @classmethod
    def read(cls, folder: Folder) -> "Manifest":
        """Return what a backup says of itself.

        Raises:
            UserError: it is not complete, or of another format.

        """
        try:
            content = json.loads(folder.blob(_NAME).download_as_bytes())
        except NotFound as error:
            raise UserError(
                f"{folder.url}: no complete backup lies here; `python -m operations backups` lists those of a stack"
            ) from error
        if content.pop("format", None) != _FORMAT:
            raise UserError(f"{folder.url}: made by another release of this project; restore it with that one")
        content["dump"] = StoredObject(**content["dump"])
        content["artifacts"] = {name: StoredObject(**each) for name, each in content["artifacts"].items()}
        return cls(**content)


def kept(root: Folder) -> tuple[list[Folder], list[Folder]]:
    """Return the backups of a bucket, complete ones and those that were begun and not ended."""
    pages = root.bucket.client.list_blobs(root.bucket, delimiter="/").pages
    names = sorted(name.rstrip("/") for page in pages for name in page.prefixes)
    folders = [root.folder(name) for name in names]
    complete = [each for each in folders if each.blob(_NAME).exists()]
    return complete, [each for each in folders if each not in complete]
