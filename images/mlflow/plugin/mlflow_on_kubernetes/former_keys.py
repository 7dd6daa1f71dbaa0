"""Secrets that were encrypted with keys of other generations are read as well, as pods meet them while keys change.

A webhook's secret that no key reads, as servers without a key of their own left them, counts as none: MLflow would
answer every list of webhooks with an error. `mlflow-encryption` brings over what is readable, and says what is not.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Dialect

from mlflow_on_kubernetes.keys import Passphrase, other_passphrases, webhook_keys


def decrypt_with_former_keys() -> None:
    """Have MLflow try all keys of the environment; today's first, and alone to encrypt."""
    _unwrap_with_former_passphrases()
    _read_webhooks_with_former_keys()


def _unwrap_with_former_passphrases() -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - `app` imports this before the server's process
    from mlflow.utils import crypto  # noqa: PLC0415 - likewise

    unwrap: Callable[[bytes, bytes], bytes] = crypto.unwrap_dek

    def unwrap_with_any(wrapped_dek: bytes, kek: bytes) -> bytes:
        try:
            return unwrap(wrapped_dek, kek)
        except MlflowException as failure:
            for other in _other_keys():
                try:
                    return unwrap(wrapped_dek, other)
                except MlflowException:
                    continue
            raise failure from None

    crypto.unwrap_dek = unwrap_with_any


def _other_keys() -> Iterator[bytes]:
    """Yield the keys of other generations, and last the one that every MLflow without a passphrase has."""
    from mlflow.utils import crypto  # noqa: PLC0415 - likewise

    for each in other_passphrases(os.environ):
        yield _derived(each)
    yield _derived(Passphrase(text=crypto.DEFAULT_KEK_PASSPHRASE, version=1))


@cache  # it takes a fifth of a second
def _derived(passphrase: Passphrase) -> bytes:
    from mlflow.utils import crypto  # noqa: PLC0415 - likewise

    return crypto.KEKManager(passphrase=passphrase.text, kek_version=passphrase.version).get_kek()


def _read_webhooks_with_former_keys() -> None:
    from mlflow.store.model_registry.dbmodels.models import EncryptedString  # noqa: PLC0415 - likewise

    keys = [Fernet(key) for key in webhook_keys(os.environ)]

    def decrypted(self: EncryptedString, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG001 - SQLAlchemy's
        if value is None:
            return None
        try:
            return MultiFernet(keys or [self.cipher]).decrypt(value.encode()).decode()
        except InvalidToken:
            return None

    EncryptedString.process_result_value = decrypted
