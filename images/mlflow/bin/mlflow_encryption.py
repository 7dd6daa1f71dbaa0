#!/opt/mlflow/bin/python3
"""Brings secrets in the database over to today's keys, so that those of before open nothing: `mlflow-encryption`.

Takes what the server takes: MLflow's variables of both keys, those of other generations, and libpq's PG* variables.
Each row is changed by itself and only if nobody else has changed it since it was read, while servers work; what is done
already is left alone. To be run once no server of before writes any more.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from functools import cache

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from mlflow_on_kubernetes.keys import Passphrase, other_passphrases, passphrase, webhook_keys

_WEBHOOKS = "SELECT webhook_id, name, secret, deleted_timestamp IS NOT NULL FROM webhooks WHERE secret IS NOT NULL"
_READABLE = "UPDATE webhooks SET secret = %s WHERE webhook_id = %s AND secret = %s"
_LOST = "UPDATE webhooks SET secret = NULL, status = 'DISABLED' WHERE webhook_id = %s AND secret = %s"
_PROVIDERS = "SELECT secret_id, secret_name, wrapped_dek FROM secrets"
_WRAPPED = "UPDATE secrets SET wrapped_dek = %s, kek_version = %s WHERE secret_id = %s AND wrapped_dek = %s"
_PATIENCE = "options='-c lock_timeout=60s' connect_timeout=10"


def main() -> int:
    """Do it and return the exit status; what cannot be done is one line on stderr."""
    parser = argparse.ArgumentParser(prog="mlflow-encryption", description=__doc__)
    help_ = "seconds that a server may still write which was asked to stop: if anything was found, look again then (0)"
    parser.add_argument("--wait", type=float, default=0, help=help_)
    arguments = parser.parse_args()
    today, keys = passphrase(os.environ), webhook_keys(os.environ)
    if today is None or not keys:
        _say("give MLFLOW_CRYPTO_KEK_PASSPHRASE and MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY, those of the servers")
        return 1
    try:
        with psycopg.connect(_PATIENCE, autocommit=True) as connection:
            if _bring_over(connection, today, keys) and arguments.wait:
                time.sleep(arguments.wait)
                _bring_over(connection, today, keys)
    except psycopg.Error as error:
        _say(str(error.diag.message_primary or error))
        return 1
    return 0


def _say(text: str) -> None:
    print("mlflow-encryption:", " ".join(text.split()), file=sys.stderr)  # noqa: T201 - that is what it is for


def _bring_over(connection: psycopg.Connection, today: Passphrase, keys: Sequence[str]) -> int:
    """Bring over what is not yet, and return how many rows that were."""
    found = _webhooks(connection, keys) + _providers(connection, today)
    _say(f"{found} secrets were brought over to the keys of today")
    return found


def _webhooks(connection: psycopg.Connection, keys: Sequence[str]) -> int:
    today, known = Fernet(keys[0]), MultiFernet([Fernet(key) for key in keys])
    found = 0
    for webhook, name, secret, deleted in connection.execute(_WEBHOOKS).fetchall():
        if _reads(today, secret):
            continue
        try:
            found += connection.execute(_READABLE, [known.rotate(secret).decode(), webhook, secret]).rowcount
        except InvalidToken:
            found += connection.execute(_LOST, [webhook, secret]).rowcount
            if not deleted:
                _say(
                    f"webhook {name} ({webhook}) is disabled, since its secret was encrypted with a key that is lost:"
                    " give it a secret again, and set it to ACTIVE"
                )
    return found


def _reads(key: Fernet, secret: str) -> bool:
    try:
        key.decrypt(secret)
    except InvalidToken:
        return False
    return True


def _providers(connection: psycopg.Connection, today: Passphrase) -> int:
    rows = connection.execute(_PROVIDERS).fetchall()
    if not rows:
        return 0
    others = [*other_passphrases(os.environ), Passphrase(text=_published(), version=1)]
    key = _derived(today)
    found = 0
    for secret, name, wrapped in rows:
        if _unwrapped(wrapped, key) is not None:
            continue
        opened = (_unwrapped(wrapped, _derived(other)) for other in others)
        inner = next((each for each in opened if each is not None), None)
        if inner is None:
            _say(
                f"the LLM provider's key {name} ({secret}) was encrypted with a key that is lost, and cannot be used:"
                " enter it again, under the same name"
            )
            continue
        found += connection.execute(_WRAPPED, [_wrapped(inner, key), today.version, secret, wrapped]).rowcount
    return found


# Importing MLflow takes seconds, and most often there is nothing to do: so each of these does it.


def _published() -> str:
    """Return the passphrase that every MLflow has which is given none."""
    from mlflow.utils.crypto import DEFAULT_KEK_PASSPHRASE  # noqa: PLC0415 - see above

    return DEFAULT_KEK_PASSPHRASE


@cache  # it takes a fifth of a second
def _derived(passphrase: Passphrase) -> bytes:
    from mlflow.utils.crypto import KEKManager  # noqa: PLC0415 - see above

    return KEKManager(passphrase=passphrase.text, kek_version=passphrase.version).get_kek()


def _unwrapped(wrapped: bytes, key: bytes) -> bytes | None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - see above
    from mlflow.utils.crypto import unwrap_dek  # noqa: PLC0415 - see above

    try:
        return unwrap_dek(wrapped, key)
    except MlflowException:
        return None


def _wrapped(inner: bytes, key: bytes) -> bytes:
    from mlflow.utils.crypto import wrap_dek  # noqa: PLC0415 - see above

    return wrap_dek(inner, key)


if __name__ == "__main__":
    sys.exit(main())
