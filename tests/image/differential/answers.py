"""What a server answered, in a form that can be compared: what it made up at random or by the clock is put aside.

A random id becomes the place where it was seen first, a time between the start of the calls and now becomes `<time>`,
and what was made for one server alone, such as its own address, becomes what it is. All else stays as it is.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

UNHELD = {"date", "server", "set-cookie", "content-length", "transfer-encoding"}
"""Headers that are not compared: they tell of the clock, and of how a body is sent."""
GIVEN = {
    "etag",
    "expires",
    "last-modified",
    "x-mlflow-gateway-duration-ms",
    "x-mlflow-gateway-overhead-duration-ms",
}
"""Headers of which only counts whether there is one: they tell when a file was written, and how long something took."""
_LONGEST = 20_000
"""Characters of a text that is kept; of a longer one, and of what is no text, a digest is."""
_RANDOM = re.compile(
    r"(?<![0-9a-zA-Z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-zA-Z])"
    # A form's token and a password's hash.
    r"|(?<=name=\"csrf_token\" value=\")[^\"]+|scrypt:[^']+"
)
_DIGIT = re.compile(r"\d|csrf_token")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_EPOCH = re.compile(r"(?<![\w.])\d{10}(?:\d{3}){0,3}(?![\w.])")
_EARLIER = 5
"""Seconds before the first call that count as now: the server was starting."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A comparable answer."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return f"{self.status} {self.headers.get('content-type')} {body[:300]}"

    def flat(self) -> dict[str, Any]:
        """Return every value by its place, such as `body.runs.0.info.status`."""
        return dict(_flat("", {"status": self.status, "headers": self.headers, "body": self.body}))


def _flat(place: str, value: Any) -> "list[tuple[str, Any]]":  # noqa: ANN401 - whatever JSON holds
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    # An empty list is still no empty string.
    return [each for key, one in inner for each in _flat(f"{place}.{key}".lstrip("."), one)] or [(place, value)]


@dataclass
class Reader:
    """Reads the answers of one server, in their order."""

    own: Mapping[str, str]
    """What stands for what is this server's alone."""
    since: float = field(default_factory=lambda: time.time() - _EARLIER)
    _seen: dict[str, str] = field(default_factory=dict[str, str])

    def read(self, place: str, answer: httpx.Response) -> Answer:
        """Return the comparable answer of the step at `place`."""
        headers = {name: value for name, value in sorted(answer.headers.items()) if name not in UNHELD}
        return Answer(
            status=answer.status_code,
            headers={
                name: "<given>" if name in GIVEN else self._text(f"{place} {name}", value)
                for name, value in headers.items()
            },
            body=self._body(place, answer),
        )

    def _body(self, place: str, answer: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
        if "json" in answer.headers.get("content-type", ""):
            try:
                return self._value(place, answer.json())
            except ValueError:
                pass
        try:
            text = answer.content.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text or len(text) > _LONGEST:
            return f"sha256 {hashlib.sha256(answer.content).hexdigest()}"
        return self._text(place, text)

    def _value(self, place: str, value: Any) -> Any:  # noqa: ANN401 - likewise
        if isinstance(value, dict):
            # In one order, so that what is seen first does not depend on the server's.
            return {self._text(place, key): self._value(f"{place}.{key}", value[key]) for key in sorted(value)}
        if isinstance(value, list):
            return [self._value(f"{place}.{index}", each) for index, each in enumerate(_in_order(value))]
        if isinstance(value, str):
            # A data set's digest is made of its time.
            is_digest = place.endswith(".digest") and re.fullmatch("[0-9a-f]{8}", value)
            return self._seen.setdefault(value, f"<{place}>") if is_digest else self._text(place, value)
        if isinstance(value, int | float) and not isinstance(value, bool) and self._is_now(value):
            return f"<time as {type(value).__name__}>"
        return value

    def _text(self, place: str, text: str) -> str:
        for value, name in self.own.items():
            text = text.replace(value, name)
        if not _DIGIT.search(text):
            return text
        text = _RANDOM.sub(lambda found: self._seen.setdefault(found[0], f"<{place}>"), text)
        text = _EPOCH.sub(lambda found: "<time>" if self._is_now(int(found[0])) else found[0], text)
        return _ISO.sub(lambda found: "<time>" if self._is_now(_epoch(found[0])) else found[0], text)

    def _is_now(self, value: float) -> bool:
        """Tell whether a number is a time since the first call, in any unit."""
        now = time.time() + 1
        return any(self.since * unit <= value <= now * unit for unit in (1, 1e3, 1e6, 1e9))


def _in_order(values: list[Any]) -> list[Any]:
    """Sort what MLflow reads in no order, such as tags, by a name that no two of them share."""
    for name in ("key", "assessment_name"):
        names = {str(each[name]) for each in values if isinstance(each, dict) and name in each}
        if len(names) == len(values):  # in a history, for instance, they are not, and its order counts
            return sorted(values, key=lambda each: str(each[name]))
    return values


def _epoch(text: str) -> float:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
