"""Where the stand-in keeps what it was told: one SQLite table of resources.

A write has reached the disk when the call returns (write-ahead log, synchronous=FULL), so a `kill -9` or a power
failure loses nothing that was answered. What a resource means is left to its own module.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class Store:
    """Resources by kind and name, each a JSON object. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._depth = 0
        self._afterwards: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS resources"
            " (kind TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID"
        )

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All writes inside happen or none does; other threads wait. May be nested."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if outermost:
                    self._connection.execute("COMMIT")
            except BaseException:
                if outermost:
                    self._afterwards.clear()
                    if self._connection.in_transaction:  # SQLite may have rolled back by itself
                        self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
            while outermost and self._afterwards:
                self._afterwards.pop()()

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something when the transaction that this is called in has ended, if it ends well."""
        self._afterwards.append(action)

    def get(self, kind: str, name: str) -> Json | None:
        """Answer the resource, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM resources WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, name: str, body: Json) -> None:
        """Write the resource, new or not."""
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO resources VALUES (?, ?, ?)", (kind, name, json.dumps(body))
            )

    def delete(self, kind: str, name: str) -> None:
        """Remove the resource, if it is there."""
        with self.transaction():
            self._connection.execute("DELETE FROM resources WHERE kind = ? AND name = ?", (kind, name))

    def items(self, kind: str, prefix: str = "") -> list[tuple[str, Json]]:
        """Answer all resources of a kind whose names start with `prefix`, ordered by name."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, body FROM resources WHERE kind = ? AND name >= ? ORDER BY name", (kind, prefix)
            )
            found = list(takewhile(lambda row: row[0].startswith(prefix), rows))
        return [(name, json.loads(body)) for name, body in found]

    def following(self, kind: str, name: str) -> tuple[str, Json] | None:
        """Answer the first resource of a kind whose name comes after `name`, by the bytes of UTF-8."""
        with self._lock:
            row = self._connection.execute(
                "SELECT name, body FROM resources WHERE kind = ? AND name > ? ORDER BY name LIMIT 1", (kind, name)
            ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def close(self) -> None:
        """Fold the log into the database and let go of the file."""
        with self._lock:
            self._connection.close()
