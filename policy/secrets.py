"""Passwords and keys are marked secret, so that Pulumi encrypts them in its state and never prints them.

What the engine shows to a validation has no marks of secrecy left; it shows them to a remediation, and that runs first.
So the policy looks in its remediation, which changes nothing, and reports in its validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from pulumi_policy import EnforcementLevel, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

from policy.rule import message, seen

_KUBERNETES_SECRET = re.compile(r"kubernetes:core/v1:Secret(Patch)?")
_NAMES = re.compile(r"(password|passphrase|private_?key|secret_?key|api_?key|access_?token)$", re.IGNORECASE)
_LOOKS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]*:[^/\s@]+@")
"""A private key, or a URL with a password."""


class _PlainSecrets:
    """Remembers between remediation and validation which values of a resource are not marked."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def look(self, args: ResourceValidationArgs) -> None:
        """Note the paths of all plain values that ought to be secret."""
        expected = _KUBERNETES_SECRET.fullmatch(args.resource_type) is not None
        props = cast("dict[str, object]", serialize_properties(args.props))
        data = {key: props.get(key) for key in ("data", "stringData")}
        self._found[args.urn] = list(_plain_secrets(data if expected else props, "", expected=expected))

    def report(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Report what was noted."""
        found = self._found.pop(args.urn, None)
        if found is None:
            report(f"{args.name}: nothing is known of its secrets: leave this policy's level at 'remediate'", None)
            return
        for path in found:
            problem = f"{path} is not marked secret: pass it through pulumi.Output.secret, or Config.require_secret"
            report(message(seen(args), problem), None)


def _plain_secrets(value: object, path: str, *, expected: bool) -> Iterator[str]:
    """Yield the path of every text in `value` that ought to be secret and is not marked."""
    if isinstance(value, str):
        if expected or _LOOKS.search(value):
            yield path
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[object]", value)):
            yield from _plain_secrets(item, f"{path}.{number}", expected=expected)
    elif isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        if entries.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            return
        for key, item in entries.items():
            named = isinstance(item, str) and item != "" and _NAMES.search(key) is not None
            yield from _plain_secrets(item, f"{path}.{key}".lstrip("."), expected=expected or named)


_plain = _PlainSecrets()

secrets_are_marked = ResourceValidationPolicy(
    "secrets-are-marked",
    "OWASP Secrets Management: passwords, keys and the data of Kubernetes Secrets are secrets to Pulumi too.",
    validate=_plain.report,
    remediate=_plain.look,
    enforcement_level=EnforcementLevel.REMEDIATE,
)

POLICIES = (secrets_are_marked,)
