"""Databases to and from Cloud Storage: the handlers of sql.instances.export and sql.instances.import.

SQL only, one database at a time; what is asked for with `offload` is done all the same, by the instance itself. Without
an importUser the import is done by cloudsqlimportexport. An import that fails leaves nothing of itself behind.
"""

import gzip
import shutil
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from local.gcp import postgres_dumps, sql_settings
from local.gcp.app import Call, Handler
from local.gcp.bucket_access import BucketAccess
from local.gcp.errors import OperationFailedError, invalid, not_implemented
from local.gcp.postgres import EXPORTER
from local.gcp.sql_contents import Contents
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]

_EXPORT_OPTIONS = {"schemaOnly", "tables", "postgresExportOptions"}


class Transfers:
    """Exports and imports, each an operation of its instance."""

    def __init__(self, instances: Instances, contents: Contents, access: BucketAccess) -> None:
        self._instances = instances
        self._contents = contents
        self._access = access
        instances.operations.register({"EXPORT": self._export, "IMPORT": self._import})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {"sql.instances.export": self._export_request, "sql.instances.import": self._import_request}

    def _export_request(self, call: Call) -> Json:
        context: Json = call.body.get("exportContext", {})
        _require_sql(context, "exportContext")
        if len(context.get("databases", [])) != 1:
            raise invalid(f"exportContext.databases {context.get('databases')}: name exactly one database.")
        _options(context.get("sqlExportOptions", {}))
        self._contents.require_database(call.path, context["databases"][0])
        return self._start("EXPORT", call, context, writing=True)

    def _import_request(self, call: Call) -> Json:
        context: Json = call.body.get("importContext", {})
        _require_sql(context, "importContext")
        if context.get("sqlImportOptions", {}).get("parallel"):
            raise not_implemented("importContext.sqlImportOptions.parallel")
        if not context.get("database"):
            raise invalid("importContext.database is missing: into which database?")
        self._contents.require_database(call.path, context["database"])
        if user := context.get("importUser"):
            self._contents.require_user(call.path, user)
            if set(user) & set('"\n'):
                raise not_implemented(f"importContext.importUser {user!r}")
        return self._start("IMPORT", call, context, writing=False)

    def _start(self, operation_type: str, call: Call, context: Json, *, writing: bool) -> Json:
        record = self._instances.find_runnable(call.path)
        self._access.require(record["instance"]["serviceAccountEmailAddress"], context.get("uri", ""), writing=writing)
        project, instance = call.path["project"], call.path["instance"]
        work = {"project": project, "instance": instance, "context": context}
        kind = operation_type.lower()
        described = {f"{kind}Context": {"kind": f"sql#{kind}Context", **context}}
        return self._instances.operations.start(operation_type, project, instance, work, described)

    def _export(self, work: Json) -> None:
        context = work["context"]
        server = self._instances.server(self._instances.find_runnable(work))
        with _scratch(server.folder) as folder:
            file = folder / ("dump.sql.gz" if context["uri"].endswith(".gz") else "dump.sql")
            options = _options(context.get("sqlExportOptions", {}))
            postgres_dumps.dump(server, context["databases"][0], file, options)
            self._access.upload(file, context["uri"])

    def _import(self, work: Json) -> None:
        context, record = work["context"], self._instances.find_runnable(work)
        server, access = self._instances.server(record), sql_settings.access(record["instance"]["settings"])
        user = context.get("importUser") or EXPORTER
        with _scratch(server.folder) as folder:
            file = folder / "dump.sql"
            self._access.download(context["uri"], file)
            if context["uri"].endswith(".gz"):
                file = _unpacked(file)
            server.configure(replace(access, guest=user))
            server.apply()
            try:
                postgres_dumps.load(server, user, context["database"], file)
            finally:
                server.configure(access)
                server.apply()


def _require_sql(context: Json, name: str) -> None:
    if context.get("fileType", "SQL") != "SQL":
        raise not_implemented(f"{name}.fileType {context['fileType']}")


def _options(asked: Json) -> list[str]:
    """Answer the options of pg_dump for sqlExportOptions."""
    unsupported = [name for name, value in asked.items() if value and name not in _EXPORT_OPTIONS]
    if unsupported:
        raise not_implemented(f"exportContext.sqlExportOptions.{unsupported[0]}")
    postgres = asked.get("postgresExportOptions", {})
    chosen = {
        "--schema-only": asked.get("schemaOnly"),
        "--clean": postgres.get("clean"),
        "--if-exists": postgres.get("ifExists"),
    }
    return [option for option, wanted in chosen.items() if wanted] + [f"--table={t}" for t in asked.get("tables", [])]


@contextmanager
def _scratch(parent: Path) -> Generator[Path]:
    """Yield a folder for one transfer, ours alone: a dump is as private as the database."""
    folder = parent / "transfer"  # an instance has one at a time; a killed one may have left its own
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _unpacked(file: Path) -> Path:
    plain = file.with_name("plain.sql")
    try:
        with gzip.open(file, "rb") as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise OperationFailedError("INVALID_REQUEST", f"The file is not what gzip makes: {error}") from error
    return plain
