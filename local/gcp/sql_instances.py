"""Cloud SQL instances: the handlers of sql.instances.* and what their operations do.

An instance is a record in the store and a PostgreSQL server behind it. Users and databases are left to
sql_contents, the servers of a running stand-in to the supervisor.
"""

import ipaddress
import re
import uuid
from pathlib import Path
from typing import Any, TypeAlias

from psycopg import sql

from local.gcp import certificates, postgres, sql_settings
from local.gcp.app import Call, Handler
from local.gcp.errors import ApiError, conflict, invalid, not_implemented
from local.gcp.operations import Operations, Work, timestamp
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_KIND = "sql.instance"
_API = "https://sqladmin.googleapis.com/sql/v1beta4"
_ENGINE = "POSTGRES_15"
_ROLES = (
    "CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEDB CREATEROLE",
    "CREATE ROLE postgres LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser",
)


class Instances:
    """All instances below `folder`, their addresses taken from `addresses`."""

    def __init__(self, store: Store, operations: Operations, folder: Path, addresses: ipaddress.IPv4Network) -> None:
        self._store = store
        self.operations = operations
        self._folder = folder
        self._addresses = addresses

        operations.register(self._works())

    def _works(self) -> dict[str, Work]:
        return {"CREATE": self._create, "UPDATE": self._change, "DELETE": self._delete, "RESTART": self._restart}

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {
            "sql.instances.insert": self._insert_request,
            "sql.instances.get": lambda call: self.find(call.path)["instance"],
            "sql.instances.list": self._list_request,
            "sql.instances.patch": self._change_request,
            "sql.instances.update": self._change_request,
            "sql.instances.delete": self._delete_request,
            "sql.instances.restart": lambda call: self._start("RESTART", call),
        }

    def find(self, path: dict[str, str]) -> Json:
        """Answer the record of an instance; ApiError 404 when there is none."""
        record = self._store.get(_KIND, f"{path['project']}/{path['instance']}")
        if record is None:
            name = f"{path['project']}/{path['instance']}"
            raise ApiError(404, "instanceDoesNotExist", f"The Cloud SQL instance {name} does not exist.")
        return record

    def runnable(self) -> list[tuple[str, str, postgres.Server]]:
        """Answer project, name and server of every instance that is to serve."""
        found = [record for _, record in self._store.items(_KIND) if record["instance"]["state"] == "RUNNABLE"]
        return [(r["instance"]["project"], r["instance"]["name"], self.server(r)) for r in found]

    def servers(self) -> list[postgres.Server]:
        """Answer the servers of all instances, in whatever state they are."""
        return [self.server(record) for _, record in self._store.items(_KIND)]

    def server(self, record: Json) -> postgres.Server:
        """Answer the server behind an instance."""
        instance: Json = record["instance"]
        return postgres.Server(
            folder=self._folder / record["folder"],
            address=instance["ipAddresses"][0]["ipAddress"],
            flags=sql_settings.flags(instance["settings"]),
        )

    def _insert_request(self, call: Call) -> Json:
        body, project = call.body, call.path["project"]
        name: str = body.get("name", "")
        if not re.fullmatch(r"[a-z]([-a-z0-9]{0,96}[a-z0-9])?", name):
            raise invalid(f"name {name!r}: use lower-case letters, digits and hyphens, beginning with a letter.")
        version: str = body.get("databaseVersion", "")
        if not version.startswith("POSTGRES_"):
            raise not_implemented(f"databaseVersion {version or '(none)'}, which is not PostgreSQL,")
        for unsupported in ("masterInstanceName", "replicaConfiguration", "diskEncryptionConfiguration"):
            if body.get(unsupported):
                raise not_implemented(f"DatabaseInstance.{unsupported}")
        password: str | None = body.get("rootPassword")
        with self._store.transaction():
            if self._store.get(_KIND, f"{project}/{name}"):
                raise conflict("instanceAlreadyExists", f"The Cloud SQL instance {name} already exists.")
            record = {"folder": uuid.uuid4().hex[:12], "instance": self._new(project, body)}
            self._store.put(_KIND, f"{project}/{name}", record)
            verifier = postgres.verifier("postgres", password) if password else None
            work = {"project": project, "instance": name, "verifier": verifier}
            return self.operations.start("CREATE", project, name, work)

    def _new(self, project: str, body: Json) -> Json:
        name, region = body["name"], body.get("region") or "us-central1"
        return {
            "kind": "sql#instance",
            "name": name,
            "project": project,
            "region": region,
            "gceZone": f"{region}-a",
            "state": "PENDING_CREATE",
            "databaseVersion": body["databaseVersion"],
            "databaseInstalledVersion": _ENGINE,
            "backendType": "SECOND_GEN",
            "instanceType": "CLOUD_SQL_INSTANCE",
            "connectionName": f"{project}:{region}:{name}",
            "selfLink": f"{_API}/projects/{project}/instances/{name}",
            "serviceAccountEmailAddress": f"p-{uuid.uuid4().hex[:12]}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
            "createTime": timestamp(),
            "etag": uuid.uuid4().hex,
            "ipAddresses": [{"type": "PRIMARY", "ipAddress": self._free_address()}],
            "settings": sql_settings.created(body.get("settings", {}), region),
        }

    def _free_address(self) -> str:
        used = {record["instance"]["ipAddresses"][0]["ipAddress"] for _, record in self._store.items(_KIND)}
        for address in self._addresses.hosts():
            if str(address) not in used:
                return str(address)
        raise ApiError(429, "quotaExceeded", f"All addresses of {self._addresses} are in use. Delete an instance.")

    def _list_request(self, call: Call) -> Json:
        if "filter" in call.query:
            raise not_implemented("query parameter filter of sql.instances.list")
        records = self._store.items(_KIND, f"{call.path['project']}/")
        return {"kind": "sql#instancesList", "items": [record["instance"] for _, record in records]}

    def _change_request(self, call: Call) -> Json:
        record = self.find(call.path)
        instance: Json = record["instance"]
        change = sql_settings.patched if call.method.id == "sql.instances.patch" else sql_settings.updated
        changes: Json = {"settings": change(instance["settings"], call.body.get("settings") or {})}
        version: str = call.body.get("databaseVersion") or instance["databaseVersion"]
        if not version.startswith("POSTGRES_"):
            raise not_implemented(f"databaseVersion {version}, which is not PostgreSQL,")
        return self._start("UPDATE", call, changes={**changes, "databaseVersion": version})

    def _delete_request(self, call: Call) -> Json:
        if self.find(call.path)["instance"]["settings"]["deletionProtectionEnabled"]:
            message = "The instance is protected. Please disable the deletion protection and try again."
            raise invalid(f"{message} (settings.deletionProtectionEnabled)")
        return self._start("DELETE", call)

    def _start(self, operation_type: str, call: Call, **work: Json) -> Json:
        self.find(call.path)
        project, name = call.path["project"], call.path["instance"]
        return self.operations.start(operation_type, project, name, {"project": project, "instance": name, **work})

    def _create(self, work: Json) -> None:
        record = self.find(work)
        instance, server = record["instance"], self.server(record)
        try:
            server.create(certificates.make(work["project"], work["instance"]))
            server.check_flags()
            server.configure(sql_settings.access(instance["settings"]))
            server.start()
            _make_roles(server, work["verifier"])
        except Exception:
            self._save(record, {"state": "FAILED"})
            raise
        authority = certificates.describe(server.authority(), work["instance"])
        self._save(record, {"state": "RUNNABLE", "serverCaCert": authority})

    def _change(self, work: Json) -> None:
        record = self.find(work)
        changed: Json = {**record, "instance": {**record["instance"], **work["changes"]}}
        server = self.server(changed)
        server.check_flags()
        server.configure(sql_settings.access(changed["instance"]["settings"]))
        server.start()
        server.apply()
        self._save(record, work["changes"])

    def _delete(self, work: Json) -> None:
        try:
            record = self.find(work)
        except ApiError:
            return  # a run before this one got this far
        self._save(record, {"state": "PENDING_DELETE"})
        self.server(record).remove()
        self._store.delete(_KIND, f"{work['project']}/{work['instance']}")

    def _restart(self, work: Json) -> None:
        self.server(self.find(work)).restart()

    def _save(self, record: Json, changes: Json) -> None:
        record["instance"] |= {**changes, "etag": uuid.uuid4().hex}
        name = f"{record['instance']['project']}/{record['instance']['name']}"
        self._store.put(_KIND, name, record)


def _make_roles(server: postgres.Server, verifier: str | None) -> None:
    """Make Cloud SQL's own roles; the database postgres is theirs, and only its owner gets further."""
    with server.connect() as connection:
        for statement in _ROLES:
            role = statement.split()[2]
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(statement.encode())
        connection.execute("ALTER DATABASE postgres OWNER TO cloudsqlsuperuser")
    if verifier:
        server.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(verifier))
