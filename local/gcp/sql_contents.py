"""What is inside a Cloud SQL instance: the handlers of sql.users.*, sql.databases.* and sql.operations.*.

PostgreSQL itself is asked what there is, so the answers also show what was made with SQL.
"""

from typing import Any, TypeAlias

from psycopg import sql

from local.gcp import postgres
from local.gcp.app import Call, Handler
from local.gcp.errors import conflict, invalid, not_found, not_implemented
from local.gcp.operations import Work
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]

_API = "https://sqladmin.googleapis.com/sql/v1beta4"
_RESERVED = ("cloudsql", "pg_")
"""What names of Cloud SQL's own roles, and of PostgreSQL's, begin with."""
_MEMBERSHIPS = """
    SELECT r.rolname, array_agg(g.rolname ORDER BY g.rolname) FILTER (WHERE g.rolname IS NOT NULL)
    FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid LEFT JOIN pg_roles g ON g.oid = m.roleid
    WHERE r.rolcanlogin GROUP BY r.rolname ORDER BY r.rolname
"""
_COLLATION = "en_US.UTF8"  # Google's default; here the databases are collated by C.UTF-8


class Contents:
    """Users and databases of the instances."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances

        instances.operations.register(self._works())

    def _works(self) -> dict[str, Work]:
        return {
            "CREATE_USER": self._set_user,
            "UPDATE_USER": self._set_user,
            "DELETE_USER": self._drop_user,
            "CREATE_DATABASE": self._create_database,
            "DELETE_DATABASE": self._drop_database,
        }

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        operations = self._instances.operations
        return {
            "sql.users.insert": self._insert_user,
            "sql.users.get": self._get_user,
            "sql.users.list": self._list_users,
            "sql.users.update": self._update_user,
            "sql.users.delete": self._delete_user,
            "sql.databases.insert": self._insert_database,
            "sql.databases.get": self._get_database,
            "sql.databases.list": self._list_databases,
            "sql.databases.delete": self._delete_database,
            "sql.operations.get": lambda call: operations.wait(f"{call.path['project']}/{call.path['operation']}"),
            "sql.operations.list": lambda call: {
                "kind": "sql#operationsList",
                "items": operations.items(call.path["project"], call.query.get("instance")),
            },
        }

    def _server(self, path: dict[str, str]) -> postgres.Server:
        return self._instances.server(self._instances.find_runnable(path))

    def _start(self, operation_type: str, call: Call, **work: str | list[str] | None) -> Json:
        self._server(call.path)
        project, instance = call.path["project"], call.path["instance"]
        return self._instances.operations.start(
            operation_type, project, instance, {"project": project, "instance": instance, **work}
        )

    def _names(self, path: dict[str, str], query: str) -> list[str]:
        with self._server(path).connect() as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    def _users(self, path: dict[str, str]) -> dict[str, list[str]]:
        """Answer the roles that each user is a member of."""
        with self._server(path).connect() as connection:
            rows = connection.execute(_MEMBERSHIPS).fetchall()
        return {name: roles or [] for name, roles in rows if not name.startswith(_RESERVED)}

    def _databases(self, path: dict[str, str]) -> list[str]:
        return self._names(path, "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname")

    def _list_users(self, call: Call) -> Json:
        users = self._users(call.path).items()
        return {"kind": "sql#usersList", "items": [_user(call.path, name, roles) for name, roles in users]}

    def _get_user(self, call: Call) -> Json:
        name = self.require_user(call.path, call.path["name"])
        return _user(call.path, name, self._users(call.path)[name])

    def require_user(self, path: dict[str, str], name: str | None) -> str:
        """Answer the name of a user that is there; ApiError 404 when it is not."""
        if name is None:
            raise invalid("query parameter name is missing: which user?")
        if name not in self._users(path):
            raise not_found(f"The user {name} does not exist on the instance {path['instance']}.")
        return name

    def _insert_user(self, call: Call) -> Json:
        if call.body.get("type", "BUILT_IN") != "BUILT_IN":
            raise not_implemented(f"User.type {call.body['type']}")
        name: str = call.body.get("name", "")
        if not name or name.startswith(_RESERVED):
            raise invalid(f"User.name {name!r} is empty or reserved.")
        roles: list[str] = call.body.get("databaseRoles", [])
        return self._start("CREATE_USER", call, user=name, verifier=_verifier(name, call.body), roles=roles)

    def _update_user(self, call: Call) -> Json:
        for unsupported in {"databaseRoles", "revokeExistingRoles"} & set(call.query):
            raise not_implemented(f"query parameter {unsupported} of {call.method.id}")
        name = self.require_user(call.path, call.query.get("name"))
        return self._start("UPDATE_USER", call, user=name, verifier=_verifier(name, call.body))

    def _delete_user(self, call: Call) -> Json:
        name = self.require_user(call.path, call.query.get("name"))
        return self._start("DELETE_USER", call, user=name)

    def _set_user(self, work: Json) -> None:
        server, user = self._server(work), sql.Identifier(work["user"])
        if work["user"] not in self._users(work):
            server.execute(_creation(user, work["roles"]))
        if work["verifier"]:
            server.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(user, work["verifier"]))

    def _drop_user(self, work: Json) -> None:
        self._server(work).execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(work["user"])))

    def _list_databases(self, call: Call) -> Json:
        items = [_database(call.path, name) for name in self._databases(call.path)]
        return {"kind": "sql#databasesList", "items": items}

    def _get_database(self, call: Call) -> Json:
        return _database(call.path, self.require_database(call.path, call.path["database"]))

    def require_database(self, path: dict[str, str], name: str) -> str:
        """Answer the name of a database that is there; ApiError 404 when it is not."""
        if name not in self._databases(path):
            raise not_found(f"The database {name} does not exist on the instance {path['instance']}.")
        return name

    def _insert_database(self, call: Call) -> Json:
        name: str = call.body.get("name", "")
        if not name:
            raise invalid("Database.name is empty.")
        for setting, default in (("charset", "UTF8"), ("collation", _COLLATION)):
            if call.body.get(setting) not in (None, "", default):
                raise not_implemented(f"Database.{setting} other than {default}")
        if name in self._databases(call.path):
            raise conflict("databaseAlreadyExists", f"The database {name} already exists.")
        return self._start("CREATE_DATABASE", call, database=name)

    def _delete_database(self, call: Call) -> Json:
        name = self.require_database(call.path, call.path["database"])
        if name == "postgres":
            raise invalid("The database postgres belongs to the instance and cannot be deleted.")
        return self._start("DELETE_DATABASE", call, database=name)

    def _create_database(self, work: Json) -> None:
        if work["database"] not in self._databases(work):
            creation = sql.SQL("CREATE DATABASE {} OWNER cloudsqlsuperuser")
            self._server(work).execute(creation.format(sql.Identifier(work["database"])))

    def _drop_database(self, work: Json) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(work["database"]))
        self._server(work).execute(statement)


def _verifier(name: str, body: Json) -> str | None:
    password: str | None = body.get("password")
    return postgres.verifier(name, password) if password else None


def _creation(user: sql.Identifier, roles: list[str]) -> sql.Composed:
    """Answer the statement that makes a user: like postgres, or a member of the named roles and no more."""
    if not roles:
        return sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser").format(user)
    named = sql.SQL(", ").join(map(sql.Identifier, roles))
    return sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(user, named)


def _user(path: dict[str, str], name: str, roles: list[str]) -> Json:
    owner = {"project": path["project"], "instance": path["instance"]}
    return {"kind": "sql#user", "name": name, "host": "", "etag": "", "databaseRoles": roles, **owner}


def _database(path: dict[str, str], name: str) -> Json:
    project, instance = path["project"], path["instance"]
    return {
        "kind": "sql#database",
        "name": name,
        "project": project,
        "instance": instance,
        "charset": "UTF8",
        "collation": _COLLATION,
        "etag": "",
        "selfLink": f"{_API}/projects/{project}/instances/{instance}/databases/{name}",
    }
