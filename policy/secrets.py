"""Passwords and keys are marked secret, so that Pulumi encrypts and never prints them, and are in Kubernetes' Secrets.

What the engine shows to a validation has no marks of secrecy left; it shows them to a remediation, and that runs first.
So the policies look in their remediation, which changes nothing, and report in their validation. What a preview can't
know has no mark in either; in a ConfigMap it is told by what it is made of, elsewhere by the update.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from itertools import product
from typing import cast

from pulumi_policy import EnforcementLevel, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

from policy.resource import SENTINELS, Resource
from policy.rule import base, message, policy_name, seen, stack_rule

_CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
_GENERATED = (
    "random:index/randomPassword:RandomPassword",
    "random:index/randomBytes:RandomBytes",
    "tls:index/privateKey:PrivateKey",
    "gcp:serviceaccount/key:Key",
    "gcp:storage/hmacKey:HmacKey",
)
_SECRET_DATA = re.compile(r"kubernetes:core/v1:Secret (data|stringData)(\..+)?")
_OPEN = re.compile(
    rf"{_CONFIG_MAP} (data|binaryData)\..+"
    r"|kubernetes:\S+ (.+\.)?\w*[cC]ontainers\.\d+\.(env\.\d+\.value|(.+\.)?(command|args|httpHeaders)\.\d+(\.value)?)"
)
"""Type and path of what everybody reads who may look at a ConfigMap or a pod, with its probes and hooks."""
_NAMES = re.compile(r"(password|passwd|passphrase|private_?key|secret_key|api_?key|access_?token)$", re.IGNORECASE)
"""What is secret in resources of all kinds, some of which have a `token` or a `secretKey` that only names one."""
_CREDENTIAL = re.compile(
    r"^(?!.*existing|max).*(password|passwd|passphrase|(^|[_.-])pass|[_.-]pwd|secret|token|credentials?|authorization"
    r"|(secret|private|api|access)[_.-]?key)$",
    re.IGNORECASE,
)
"""What is secret among the names of variables, options and files; `existingSecret` is a name, `MAX_TOKEN` a number."""
_LOOKS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]*:(?![$<{]|%s)[^/\s@]+@")
"""A private key, or a URL with a password that is not put in later."""
_OPTION = r"--?(?!-?no-)([\w.-]+)"
"""An option that may have a value; one that begins with `no` has none."""
_ASSIGNED = re.compile(
    rf"""
    (?: (?<![\w.-])([\w.-]+)=                                # NAME=value
      | (?:^[ ]*(?:-[ ])?|["'])([\w.-]+)["']?[ ]*[:=][ ]*    # name: value, on a line or in quotes
      | (?<!\S){_OPTION}[ ]+                                 # --name value
    )(?=["']? (?:(?:basic|bearer)[ ]+)? ((?:\$\(\w+\)|\$\{{\w+(?:\}}|:?-))? [\w!@][^\s"';&]*))
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
"""Name and value within a text.

A value that begins with another sign is a variable, a template, a path, the next option, a comment or an operator; a
variable counts that has more behind it, or a default.
"""
_HARMLESS = re.compile(
    r"((basic|bearer) )?(\$\(\w+\)|\$\{\w+\}|\$(?-i:[A-Z_][A-Z0-9_]*)|\{\{.*\}\}|<.*>)|(/[\w.-]+){2,}|-.*"
    r"|true|false|yes|no|on|off|enabled|disabled|null|none|basic|bearer|f|[\w.]+[][(){},][][(){},\w.]*",
    re.IGNORECASE,
)
"""What is no password: a variable or a template, the path of a file, the next option; a switch, a scheme without its
credentials, the `f` before a template, or an expression of code.
"""
_CERTIFICATE = re.compile(r"\s*-----BEGIN CERTIFICATE-----")
_CERTIFICATE_FILE = re.compile(r"\.(pem|crt|cer)$")


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text among the properties of a resource."""

    type: str
    """Type of the resource."""
    path: str
    """Where the text stands, with dots."""
    name: str
    """What it is the value of: its key, the variable of that name, the option before it."""
    value: str
    """The text itself."""
    marked: bool
    """Whether it is secret to Pulumi."""

    @property
    def is_open(self) -> bool:
        """Whether Kubernetes shows it to people who may not read Secrets."""
        return _OPEN.fullmatch(f"{self.type} {self.path}") is not None

    @property
    def is_certificate(self) -> bool:
        """Whether it is a certificate, which is public, though the provider marks Cloud SQL's as a secret."""
        if self.value in SENTINELS:
            return _CERTIFICATE_FILE.search(self.name) is not None
        return _CERTIFICATE.match(self.value) is not None


def _texts(type_: str, value: object, path: str = "", name: str = "", *, marked: bool = False) -> Iterator[Text]:
    """Yield every text of a value."""
    if isinstance(value, str):
        yield Text(type=type_, path=path, name=name, value=value, marked=marked)
    elif isinstance(value, list):
        before = ""
        for number, item in enumerate(cast("list[object]", value)):
            option = re.fullmatch(_OPTION, before)
            yield from _texts(type_, item, f"{path}.{number}", option[1] if option else name, marked=marked)
            before = item if isinstance(item, str) else ""
    elif isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        if entries.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            yield from _texts(type_, entries.get("value"), path, name, marked=True)
            return
        for key, item in entries.items():
            variable = entries.get("name") if key == "value" else None
            own = variable if isinstance(variable, str) else key
            yield from _texts(type_, item, f"{path}.{key}".lstrip("."), own, marked=marked)


class _Remembered:
    """Remembers between remediation and validation what is wrong with the texts of a resource."""

    def __init__(self, check: Callable[[Text], str | None]) -> None:
        self._check = check
        self._found: dict[str, list[str]] = {}

    def look(self, args: ResourceValidationArgs) -> None:
        """Note what is wrong."""
        found = (self._check(text) for text in _texts(base(args.resource_type), serialize_properties(args.props)))
        self._found[args.urn] = [problem for problem in found if problem is not None]

    def report(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Report what was noted."""
        found = self._found.pop(args.urn, None)
        if found is None:
            report(f"{args.name}: nothing is known of its secrets: leave this policy's level at 'remediate'", None)
            return
        for problem in found:
            report(message(seen(args), problem), None)


def _secrets_rule(check: Callable[[Text], str | None]) -> ResourceValidationPolicy:
    """Make a policy from a check of single texts, which returns what is wrong."""
    remembered = _Remembered(check)
    return ResourceValidationPolicy(
        policy_name(check),
        getdoc(check) or "",
        validate=remembered.report,
        remediate=remembered.look,
        enforcement_level=EnforcementLevel.REMEDIATE,
    )


@_secrets_rule
def secrets_are_marked(text: Text) -> str | None:
    """OWASP Secrets Management: passwords, keys and the data of Kubernetes Secrets are secrets to Pulumi too."""
    is_secret = _SECRET_DATA.fullmatch(f"{text.type} {text.path}") or _NAMES.search(text.name)
    if text.marked or text.is_open or not text.value or not (is_secret or _LOOKS.search(text.value)):
        return None
    return f"{text.path} is not marked secret: pass it through pulumi.Output.secret, or Config.require_secret"


@_secrets_rule
def credentials_come_from_secrets(text: Text) -> str | None:
    """OWASP Secrets Management: a password is read from a Secret, never from a ConfigMap or a pod's specification."""
    if not text.is_open:
        return None
    named = [name for name, value in _assignments(text) if _CREDENTIAL.search(name) and not _HARMLESS.fullmatch(value)]
    if not named and not _LOOKS.search(text.value) and (not text.marked or text.is_certificate):
        return None
    what = f"the value of {named[0]}" if named else "what is secret"
    return f"{text.path} has {what} in the open: put it into a Secret, and read that by secretKeyRef or as a file"


def _assignments(text: Text) -> Iterator[tuple[str, str]]:
    """Yield names and values: the text's own, and those within it."""
    if text.value:
        yield text.name, text.value
    for *names, value in _ASSIGNED.findall(text.value):
        yield "".join(names), value


@stack_rule
def config_maps_are_not_made_of_secrets(stack: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """OWASP Secrets Management: no password and no key is on its way into a ConfigMap."""
    configs = [resource for resource in stack if resource.type == _CONFIG_MAP]
    for config, name in product(configs, ("data", "binaryData")):
        for source in config.made_of.get(name, ()):
            if source in _GENERATED:
                yield config, f"{name} is made of a {source.rpartition(':')[2]}: put it into a Secret"


POLICIES = (secrets_are_marked, credentials_come_from_secrets, config_maps_are_not_made_of_secrets)
