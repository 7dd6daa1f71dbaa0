"""Keys by which MLflow encrypts secrets in its database: of webhooks (Fernet), and of LLM providers (a passphrase).

Owns the keys of every generation. While pods roll to a generation, those of before meet what the new ones wrote: so
each pod has the keys of all generations up to its own, and the next ones already. Leaves to the image that all of them
are tried, and to `migration` that what other keys encrypted is brought over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.kubernetes.checksum import checksum

PASSPHRASE = "MLFLOW_CRYPTO_KEK_PASSPHRASE"  # noqa: S105 - the name of a variable, not a passphrase
"""What the keys are derived from that encrypt the keys of LLM providers."""
PASSPHRASE_VERSION = "MLFLOW_CRYPTO_KEK_VERSION"  # noqa: S105 - likewise
"""The generation, which the derivation counts in."""
WEBHOOK_KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
"""What the secrets of webhooks are encrypted with; 32 bytes, base64 as in URLs."""


@dataclass(frozen=True, kw_only=True)
class EncryptionArgs:
    """What an Encryption needs."""

    namespace: pulumi.Input[str]
    """Namespace of the Secret."""
    generation: int
    """Counts keys; one more is new keys."""


class Encryption(pulumi.ComponentResource):
    """The Secret `mlflow-encryption`, each key of which is named after the variable that it becomes."""

    secret_name: pulumi.Output[str]
    """Name of the Secret."""
    variables: Sequence[str]
    """Its keys: MLflow's own names for this generation's, and with `_<generation>` at their end the others'."""
    checksum: pulumi.Output[str]
    """Checksum of everything in it, a secret."""

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Encryption", name, None, opts)
        self._name = name
        content: dict[str, pulumi.Input[str]] = {PASSPHRASE_VERSION: str(args.generation)}
        for generation in range(1, args.generation + 2):
            suffix = "" if generation == args.generation else f"_{generation}"
            content[f"{PASSPHRASE}{suffix}"] = self._passphrase(generation)
            content[f"{WEBHOOK_KEY}{suffix}"] = self._webhook_key(generation)
        self.secret_name = kubernetes.core.v1.Secret(
            name,
            metadata={"name": "mlflow-encryption", "namespace": args.namespace},
            type="Opaque",
            string_data=content,
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name
        self.variables = sorted(content)
        self.checksum = pulumi.Output.secret(checksum(content))
        self.register_outputs({"secret_name": self.secret_name, "checksum": self.checksum})

    def _passphrase(self, generation: int) -> pulumi.Output[str]:
        generated = random.RandomPassword(
            f"{self._name}-passphrase-{generation}",
            length=43,  # 256 bits
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.secret(generated.result)

    def _webhook_key(self, generation: int) -> pulumi.Output[str]:
        generated = random.RandomBytes(
            f"{self._name}-webhook-key-{generation}", length=32, opts=pulumi.ResourceOptions(parent=self)
        )
        return pulumi.Output.secret(generated.base64.apply(_as_in_urls))


def _as_in_urls(text: str) -> str:
    """Return base64 with the two signs that Fernet asks for."""
    return text.replace("+", "-").replace("/", "_")
