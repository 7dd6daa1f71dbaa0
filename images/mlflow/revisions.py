#!/opt/mlflow/bin/python3
"""Prints the revisions of MLflow's tables as JSON, newest first, by the table that notes which one a database has.

Runs when the image is built: alembic takes seconds to read them, and every server has to know them at its start.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from alembic.script import ScriptDirectory

FOLDERS = {"alembic_version": "store/db_migrations", "alembic_version_auth": "server/auth/db/migrations"}


def revisions(folder: Path) -> list[str]:
    """Return the revisions of a folder of alembic's, newest first."""
    return [str(script.revision) for script in ScriptDirectory(str(folder)).walk_revisions()]


if __name__ == "__main__":
    found = find_spec("mlflow")
    if found is None or found.origin is None:
        sys.exit("revisions: mlflow is not installed here")
    package = Path(found.origin).parent
    json.dump({table: revisions(package / folder) for table, folder in FOLDERS.items()}, sys.stdout)
