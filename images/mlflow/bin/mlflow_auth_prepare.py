#!/opt/mlflow/bin/python3
"""Makes basic-auth's tables and its administrator before any server starts: `mlflow-auth-prepare`.

Takes what the server takes: MLFLOW_AUTH_CONFIG_PATH, MLFLOW_AUTH_ADMIN_PASSWORD and libpq's PG* variables. The server
itself ignores that password once the account exists; here the account always gets it, so another one counts.
"""

import sys

from mlflow.exceptions import MlflowException
from mlflow.server.auth import auth_config, bootstrap_admin_user, store


def main() -> int:
    """Bring tables and account up to date and return the exit status."""
    try:
        bootstrap_admin_user()
        name, password = str(auth_config.admin_username), str(auth_config.admin_password)
        if not store.authenticate_user(name, password):
            store.update_user(name, password=password, is_admin=True)
    except MlflowException as error:
        print("mlflow-auth-prepare:", " ".join(error.message.split()), file=sys.stderr)  # noqa: T201 - what it is for
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
