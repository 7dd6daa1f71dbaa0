"""Reads single settings of the stack and gathers what is wrong with them, so that one run tells all of it."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from settings.rule import did_you_mean, shown

_SECRET = "[secret]"  # noqa: S105 - what stands in place of one


class Reader:
    """Reads settings by their full keys, such as mlflow:image; each is held against its rule."""

    def __init__(self) -> None:
        self._problems: list[tuple[str, str, str]] = []
        self._wrong: set[str] = set()
        self._read: set[str] = set()

    def text(self, key: str, rule: Callable[[str], str | None]) -> str:
        """Return the setting as it stands, the empty string where there is none."""
        value = self._raw(key)
        self.hold(key, value, rule(value))
        return value

    def optional(self, key: str, rule: Callable[[str], str | None]) -> str | None:
        """Return the setting, None where it is empty or not there."""
        return self.text(key, rule) if self._raw(key) else None

    def token(self, key: str, stand_ins: Collection[str]) -> pulumi.Output[str] | None:
        """Return the setting as `secret` does; kept in the open it passes where one of the stand-ins is set."""
        value = self._raw(key)
        if not any(_raw(each) for each in stand_ins):
            return self.secret(key, lambda _: None)
        return pulumi.Output.secret(value) if value else None

    def secret(self, key: str, rule: Callable[[str], str | None]) -> pulumi.Output[str] | None:
        """Return the setting as a secret, None where it is empty or not there; one kept in the open is refused."""
        value = self._raw(key)
        if value and not is_config_secret(key):
            remedy = f"anyone may read it in the stack's file; type `pulumi config set --secret {key}` with a new one"
            self.hold(key, "[hidden]", remedy)
        elif value:
            self.hold(key, value, rule(value))
        return pulumi.Output.secret(value) if value else None

    def flag(self, key: str) -> bool:
        """Return whether the setting is true."""
        value = self._raw(key)
        self.hold(key, value, None if value in {"true", "false"} else "write true or false")
        return value == "true"

    def integer(self, key: str, rule: Callable[[int], str | None]) -> int:
        """Return the setting as a whole number, 0 where it is none."""
        value = self._raw(key)
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            self.hold(key, value, "write a whole number")
            return 0
        number = int(value)
        self.hold(key, value, rule(number))
        return number

    def texts(self, key: str, rule: Callable[[Sequence[str]], str | None]) -> Sequence[str]:
        """Return the setting as a list of strings, the empty list where it is none."""
        value = self._raw(key)
        try:
            items: Any = json.loads(value or "[]")
        except ValueError:
            items = None
        if not isinstance(items, list) or not all(isinstance(item, str) for item in cast("list[Any]", items)):
            self.hold(key, value, f"write a list, item by item: `pulumi config set --path '{key}[0]' <value>`")
            return []
        strings = cast("list[str]", items)
        self.hold(key, value, rule(strings))
        return strings

    def sound(self, *keys: str) -> bool:
        """Tell whether nothing was wrong with any of the settings so far."""
        return not self._wrong & set(keys)

    def hold(self, key: str, value: str, problem: str | None) -> None:
        """Note a problem with a setting, if there is one."""
        if problem is not None:
            self._wrong.add(key)
            self._problems.append((key, value, problem))

    def report(self) -> None:
        """Raise pulumi.RunError with all problems, and settings that nothing reads; return where there are none."""
        problems = [*self._unknown(), *self._problems]
        if problems:
            lines = [self._line(*problem) for problem in problems]
            raise pulumi.RunError("\n  ".join(["the settings cannot be used, and nothing was touched:", *lines]))

    def _unknown(self) -> Iterator[tuple[str, str, str]]:
        """Yield what to say of settings that nothing read: most are typing errors."""
        unread = {key for key in CONFIG.get() if not key.startswith("pulumi:")} - self._read
        for key in sorted(unread):
            nearest = did_you_mean(key, self._read)
            yield key, _raw(key), f"there is no such setting{nearest}; type `pulumi config rm {key}` to remove it"

    def _line(self, key: str, value: str, problem: str) -> str:
        """Return a problem as it is told: whatever is secret may be part of values and remedies of other settings."""
        found = shown(self._without_secrets(value)) if value else "not set"
        return f"{key} is {_SECRET if is_config_secret(key) else found}: {self._without_secrets(problem)}"

    def _without_secrets(self, text: str) -> str:
        names = self._read | set(CONFIG.get())
        kept_or_hidden = sorted(names | _secrets(), key=len, reverse=True)
        pattern = "|".join(re.escape(each) for each in kept_or_hidden)
        return re.sub(pattern, lambda match: match[0] if match[0] in names else _SECRET, text)

    def _raw(self, key: str) -> str:
        """Return a setting as text, and remember that it is one."""
        self._read.add(key)
        return _raw(key)


def _raw(key: str) -> str:
    """Return what is set as text, without surrounding blanks; empty where nothing is."""
    namespace, name = key.split(":", 1)
    return (pulumi.Config(namespace).get(name) or "").strip()


def _secrets() -> set[str]:
    """Return the texts of all secret settings, of a list those of its items too."""
    found: set[str] = set()
    for value in (_raw(key) for key in CONFIG.get() if is_config_secret(key)):
        found.add(value)
        try:
            items: Any = json.loads(value)
        except ValueError:
            continue
        if isinstance(items, list):
            found |= {str(item) for item in cast("list[Any]", items)}
    return found - {""}
