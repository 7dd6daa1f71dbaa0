"""Cloud SQL instances as records, each with a PostgreSQL server behind it.

What is done with them is left to others: sql_lifecycle makes and changes them, sql_deletion deletes them, sql_contents
sees to users and databases, the supervisor to the servers of a running stand-in.
"""

import ipaddress
import uuid
from pathlib import Path
from typing import Any, TypeAlias

from local.gcp import postgres, projects, sql_rules, sql_settings
from local.gcp.compute import network_path
from local.gcp.errors import ApiError
from local.gcp.sql_operations import SqlOperations
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_KIND = "sql.instance"


class Instances:
    """All instances below `folder`, their addresses taken from `addresses`."""

    def __init__(self, store: Store, operations: SqlOperations, folder: Path, addresses: ipaddress.IPv4Network) -> None:
        self.store = store
        self.operations = operations
        self._folder = folder
        self._addresses = addresses

    def get(self, project: str, name: str) -> Json | None:
        """Answer the record of an instance, or None."""
        return self.store.get(_KIND, f"{project}/{name}")

    def find(self, path: dict[str, str]) -> Json:
        """Answer the record of an instance; ApiError 404 when there is none."""
        record = self.get(path["project"], path["instance"])
        if record is None:
            name = f"{path['project']}/{path['instance']}"
            raise ApiError(404, "instanceDoesNotExist", f"The Cloud SQL instance {name} does not exist.")
        return record

    def find_runnable(self, path: dict[str, str]) -> Json:
        """Answer the record of an instance that serves; ApiError 400 when it does not."""
        record = self.find(path)
        if record["instance"]["state"] != "RUNNABLE":
            message = f"The instance {path['instance']} is {record['instance']['state']}, not RUNNABLE."
            raise ApiError(400, "invalidState", message)
        return record

    def records(self, project: str = "") -> list[Json]:
        """Answer the records of one project, or of all."""
        return [record for _, record in self.store.items(_KIND, f"{project}/" if project else "")]

    def runnable(self) -> list[tuple[str, str, postgres.Server]]:
        """Answer project, name and server of every instance that is to serve."""
        found = [record for record in self.records() if record["instance"]["state"] == "RUNNABLE"]
        return [(r["instance"]["project"], r["instance"]["name"], self.server(r)) for r in found]

    def servers(self) -> list[postgres.Server]:
        """Answer the servers of all instances, in whatever state they are."""
        return [self.server(record) for record in self.records()]

    def server(self, record: Json) -> postgres.Server:
        """Answer the server behind an instance."""
        instance: Json = record["instance"]
        return postgres.Server(
            folder=self._folder / record["folder"],
            major=sql_rules.major(instance["databaseInstalledVersion"]),
            addresses=tuple(entry["ipAddress"] for entry in instance["ipAddresses"]),
            flags=sql_settings.defaults_of_tier(instance["settings"]) | sql_rules.flags(instance["settings"]),
        )

    def addresses(self, settings: Json, current: list[Json]) -> list[Json]:
        """Answer the addresses of an instance under these settings; `current` are those it has."""
        used = {entry["ipAddress"] for record in self.records() for entry in record["instance"]["ipAddresses"]}
        free = (address for address in self._addresses.hosts() if str(address) not in used)
        return sql_settings.addresses(settings, current, free)

    def uses(self, network: str) -> bool:
        """Tell whether an instance has its private address in a network, named by its project's number."""
        return network in {_numbered(record["instance"]["settings"]) for record in self.records()}

    def add(self, instance: Json) -> None:
        """Keep a new instance, with a folder of its own."""
        key = f"{instance['project']}/{instance['name']}"
        self.store.put(_KIND, key, {"folder": uuid.uuid4().hex[:12], "instance": instance})

    def save(self, record: Json, changes: Json) -> None:
        """Change an instance."""
        record["instance"] |= {**changes, "etag": uuid.uuid4().hex}
        name = f"{record['instance']['project']}/{record['instance']['name']}"
        self.store.put(_KIND, name, record)

    def forget(self, path: dict[str, str]) -> None:
        """Remove an instance's record."""
        self.store.delete(_KIND, f"{path['project']}/{path['instance']}")


def _numbered(settings: Json) -> str | None:
    link: str | None = settings["ipConfiguration"].get("privateNetwork")
    if not link:
        return None
    _, project, *rest = network_path(link).split("/")
    return "/".join(["projects", project if project.isdecimal() else projects.number(project), *rest])
