"""The keys that MLflow's secrets in the database are encrypted with: today's, and those of other generations.

MLflow reads today's from its own variables. A variable with `_<generation>` at its end holds another generation's: of
one before, or of the next, by which a pod reads what its successor wrote.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PASSPHRASE, _VERSION = "MLFLOW_CRYPTO_KEK_PASSPHRASE", "MLFLOW_CRYPTO_KEK_VERSION"
_WEBHOOK_KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"


@dataclass(frozen=True, kw_only=True)
class Passphrase:
    """What the keys of one generation are derived from; they encrypt the keys of LLM providers."""

    text: str
    version: int


def passphrase(environment: Mapping[str, str]) -> Passphrase | None:
    """Return today's passphrase, None where there is none."""
    text = environment.get(_PASSPHRASE)
    return Passphrase(text=text, version=int(environment.get(_VERSION) or "1")) if text else None


def other_passphrases(environment: Mapping[str, str]) -> list[Passphrase]:
    """Return the passphrases of other generations, the newest first."""
    return [Passphrase(text=text, version=version) for version, text in _others(environment, _PASSPHRASE)]


def webhook_keys(environment: Mapping[str, str]) -> list[str]:
    """Return the Fernet keys of webhooks, today's first; none where today's is not there."""
    today = environment.get(_WEBHOOK_KEY)
    return [today, *(key for _, key in _others(environment, _WEBHOOK_KEY))] if today else []


def _others(environment: Mapping[str, str], name: str) -> list[tuple[int, str]]:
    matches = ((re.fullmatch(rf"{name}_(\d+)", key), value) for key, value in environment.items())
    return sorted(((int(match[1]), value) for match, value in matches if match and value), reverse=True)
