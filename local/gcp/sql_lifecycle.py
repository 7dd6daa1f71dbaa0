"""The life of a Cloud SQL instance: the handlers of sql.instances.* that make, change and restart one."""

import re
import uuid
from typing import Any, TypeAlias

from psycopg import sql

from local.gcp import certificates, engines, postgres, projects, sql_settings
from local.gcp.app import Call, Handler
from local.gcp.compute import network_path
from local.gcp.errors import conflict, invalid, not_implemented
from local.gcp.operations import Work, timestamp
from local.gcp.service_networking import Connections
from local.gcp.sql_instances import Instances
from local.gcp.sql_rules import major

Json: TypeAlias = dict[str, Any]

_API = "https://sqladmin.googleapis.com/sql/v1beta4"
_ROLES = (
    "CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEDB CREATEROLE",
    f"CREATE ROLE {postgres.EXPORTER} LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser",
    "CREATE ROLE postgres LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser",
    "CREATE ROLE cloudsqlobservability LOGIN IN ROLE pg_monitor",  # reads for Query Insights
    "CREATE ROLE cloudsqlagent LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser",
    "CREATE ROLE cloudsqlreplica LOGIN REPLICATION",
    *(f"CREATE ROLE cloudsqliam{kind} NOLOGIN" for kind in ("user", "serviceaccount", "group")),
    *(f"CREATE ROLE cloudsqliamgroup{kind} NOLOGIN" for kind in ("user", "serviceaccount")),
)


class Lifecycle:
    """Makes and changes instances; `connections` say which networks may have private addresses."""

    def __init__(self, instances: Instances, connections: Connections) -> None:
        self._instances = instances
        self._connections = connections
        instances.operations.register(self._works())
        connections.in_use = instances.uses

    def _works(self) -> dict[str, Work]:
        return {"CREATE": self._create, "UPDATE": self._change, "RESTART": self._restart}

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {
            "sql.instances.insert": self._insert_request,
            "sql.instances.get": lambda call: self._instances.find(call.path)["instance"],
            "sql.instances.list": self._list_request,
            "sql.instances.patch": self._change_request,
            "sql.instances.update": self._change_request,
            "sql.instances.restart": lambda call: self._start("RESTART", call),
        }

    def _insert_request(self, call: Call) -> Json:
        body, project = call.body, call.path["project"]
        name: str = body.get("name", "")
        if not re.fullmatch(r"[a-z]([-a-z0-9]{0,96}[a-z0-9])?", name):
            raise invalid(f"name {name!r}: use lower-case letters, digits and hyphens, beginning with a letter.")
        version = _postgres(body.get("databaseVersion", ""))
        for unsupported in ("masterInstanceName", "replicaConfiguration", "diskEncryptionConfiguration"):
            if body.get(unsupported):
                raise not_implemented(f"DatabaseInstance.{unsupported}")
        password: str | None = body.get("rootPassword")
        with self._instances.store.transaction():
            self._forget_failed(project, name)
            if self._instances.get(project, name):
                raise conflict("instanceAlreadyExists", f"The Cloud SQL instance {name} already exists.")
            self._instances.add(self._new(project, version, body))
            verifier = postgres.verifier("postgres", password) if password else None
            work = {"project": project, "instance": name, "verifier": verifier}
            return self._instances.operations.start("CREATE", project, name, work)

    def _forget_failed(self, project: str, name: str) -> None:
        """Let the name of an instance whose creation failed be tried again: no client knows that there is one."""
        record = self._instances.get(project, name)
        if record and record["instance"]["state"] == "FAILED":
            self._instances.operations.require_idle(project, name)
            self._instances.server(record).remove()
            self._instances.forget({"project": project, "instance": name})

    def _new(self, project: str, version: str, body: Json) -> Json:
        name, region = body["name"], body.get("region") or "us-central1"
        settings = sql_settings.created(body.get("settings", {}), region, version)
        self._require_connection(f"{project}:{name}", settings)
        account = f"p{projects.number(project)}-{uuid.uuid4().hex[:6]}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
        return {
            "kind": "sql#instance",
            "name": name,
            "project": project,
            "region": region,
            "state": "PENDING_CREATE",
            "databaseVersion": version,
            "databaseInstalledVersion": "_".join(["POSTGRES", *engines.here()[major(version)].split(".")[:2]]),
            "backendType": "SECOND_GEN",
            "instanceType": "CLOUD_SQL_INSTANCE",
            "connectionName": f"{project}:{region}:{name}",
            "selfLink": f"{_API}/projects/{project}/instances/{name}",
            "serviceAccountEmailAddress": account,
            "createTime": timestamp(),
            "etag": uuid.uuid4().hex,
            "ipAddresses": self._instances.addresses(settings, []),
            "settings": settings,
            **_zones(region, settings),
        }

    def _require_connection(self, name: str, settings: Json) -> None:
        """Raise ApiError 400 where a private network is asked for that is not connected with Google's services."""
        configuration = settings["ipConfiguration"]
        if not configuration.get("privateNetwork"):
            return
        connection = self._connections.of(network_path(configuration["privateNetwork"]))
        wrong = f"Invalid request: Incorrect Service Networking config for instance: {name}"
        if connection is None:
            raise invalid(f"{wrong}:NETWORK_NOT_PEERED.")
        chosen = configuration.get("allocatedIpRange")
        if chosen and chosen not in connection["reservedPeeringRanges"]:
            raise invalid(f"{wrong}:RANGE_NOT_FOUND (allocatedIpRange {chosen}).")

    def _list_request(self, call: Call) -> Json:
        if "filter" in call.query:
            raise not_implemented("query parameter filter of sql.instances.list")
        records = self._instances.records(call.path["project"])
        return {"kind": "sql#instancesList", "items": [record["instance"] for record in records]}

    def _change_request(self, call: Call) -> Json:
        instance: Json = self._instances.find(call.path)["instance"]
        change = sql_settings.patched if call.method.id == "sql.instances.patch" else sql_settings.updated
        settings = change(instance["settings"], call.body.get("settings") or {})
        self._require_connection(f"{instance['project']}:{instance['name']}", settings)
        version = _postgres(call.body.get("databaseVersion") or instance["databaseVersion"])
        if major(version) < major(instance["databaseVersion"]):
            raise invalid(f"databaseVersion: {instance['databaseVersion']} cannot go back to {version}.")
        changes: Json = {
            "settings": settings,
            "databaseVersion": version,
            "ipAddresses": self._instances.addresses(settings, instance["ipAddresses"]),
            **_zones(instance["region"], settings),
        }
        return self._start("UPDATE", call, changes=changes)

    def _start(self, operation_type: str, call: Call, **work: Json) -> Json:
        self._instances.find(call.path)
        project, name = call.path["project"], call.path["instance"]
        path = {"project": project, "instance": name}
        return self._instances.operations.start(operation_type, project, name, {**path, **work})

    def _create(self, work: Json) -> None:
        record = self._instances.find(work)
        instance, server = record["instance"], self._instances.server(record)
        try:
            server.create(certificates.make(work["project"], work["instance"]))
            server.check_flags()
            server.configure(sql_settings.access(instance["settings"]))
            server.start()
            _make_roles(server, work["verifier"])
        except Exception:
            self._instances.save(record, {"state": "FAILED"})
            raise
        authority = certificates.describe(server.authority(), work["instance"])
        self._instances.save(record, {"state": "RUNNABLE", "serverCaCert": authority})

    def _change(self, work: Json) -> None:
        record = self._instances.find(work)
        changed: Json = {**record, "instance": {**record["instance"], **work["changes"]}}
        server = self._instances.server(changed)
        server.check_flags()
        server.configure(sql_settings.access(changed["instance"]["settings"]))
        server.start()
        server.apply()
        self._instances.save(record, work["changes"])

    def _restart(self, work: Json) -> None:
        self._instances.server(self._instances.find(work)).restart()


def _postgres(version: str) -> str:
    if not version.startswith("POSTGRES_"):
        raise not_implemented(f"databaseVersion {version or '(none)'}, which is not PostgreSQL,")
    if major(version) not in engines.here():
        raise not_implemented(f"databaseVersion {version}, other than {' and '.join(map(str, engines.here()))},")
    return version


def _zones(region: str, settings: Json) -> Json:
    """Answer where the instance runs; a regional one has a second zone to go to."""
    second = {"secondaryGceZone": f"{region}-b"} if settings["availabilityType"] == "REGIONAL" else {}
    return {"gceZone": settings["locationPreference"].get("zone") or f"{region}-a", **second}


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
