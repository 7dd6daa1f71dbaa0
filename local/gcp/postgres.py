"""One real PostgreSQL server: data directory, configuration, start and stop.

Takes settings that are already decided (which networks, which flags) and knows nothing of Cloud SQL's schemas.
The stand-in itself comes in through a socket in the instance's folder, by the operating system's word for who it is
(peer); it has no password.
"""

import os
import pwd
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import pq, sql

from local.gcp import certificates, engines
from local.gcp.errors import OperationFailedError
from local.gcp.postgres_programs import SYSTEM_USER, begin, hand_over, program, reason, require, run, write

ADMINISTRATOR = "cloudsqladmin"
EXPORTER = "cloudsqlimportexport"
"""Who exports, and imports where nobody else is named: no superuser, a member of cloudsqlsuperuser."""
PORT = 5432
_START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may connect: networks in CIDR form, and whether only over TLS."""

    networks: list[str]
    encrypted_only: bool
    guest: str | None = None
    """A user whom the programs of PostgreSQL's own operating system user may act as, for an import."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server below `folder`, reached at port 5432 of each of `addresses`."""

    folder: Path
    major: int
    """Its version, such as 18."""
    addresses: tuple[str, ...]
    flags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def program(self, name: str) -> str:
        """Answer where a program of this version is."""
        return program(self.folder, self.major, name)

    def _bring_programs(self) -> None:
        engines.bring(self.major, Path(self.program("postgres")).parent.parent)

    def create(self, certificate: certificates.ServerCertificates) -> None:
        """Make the data directory; nothing happens when it is there, and half of one is made anew."""
        if self.data.exists():
            return
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        sockets, new = self.folder / "run", begin(self.data)
        sockets.mkdir(mode=0o700, exist_ok=True)
        for path in (sockets, new):
            hand_over(path)
        self._bring_programs()
        require(
            [
                self.program("initdb"),
                f"--pgdata={new}",
                f"--username={ADMINISTRATOR}",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ]
        )
        for name, content in (
            ("server-ca.pem", certificate.authority),
            ("server-cert.pem", certificate.certificate),
            ("server-key.pem", certificate.key),
        ):
            write(new / name, content.decode())
        new.rename(self.data)

    def authority(self) -> bytes:
        """Answer the certificate of the authority, PEM."""
        return (self.data / "server-ca.pem").read_bytes()

    def configure(self, access: Access) -> None:
        """Write the configuration files; `apply` or `start` makes them count."""
        operating_user = pwd.getpwuid(os.geteuid()).pw_name
        defaults = {"timezone": "UTC", "log_timezone": "UTC"}
        own = {
            "listen_addresses": ",".join(self.addresses),
            "port": str(PORT),
            "unix_socket_directories": str(self.folder / "run"),
            "unix_socket_permissions": "0700",
            "ssl": "on",
            "ssl_cert_file": "server-cert.pem",
            "ssl_key_file": "server-key.pem",
            "password_encryption": "scram-sha-256",
        }
        write(
            self.data / "postgresql.conf",
            "".join(_setting(*item) for item in {**defaults, **self.flags, **own}.items()),
        )
        known = [f"{operating_user} {ADMINISTRATOR}", f"{operating_user} {EXPORTER}"]
        if access.guest:
            known.append(f'{SYSTEM_USER or operating_user} "{access.guest}"')
        write(self.data / "pg_ident.conf", "".join(f"stand-in {who}\n" for who in known))
        kind = "hostssl" if access.encrypted_only else "host"
        lines = [
            f"local all,replication {ADMINISTRATOR},{EXPORTER} peer map=stand-in",
            *([f'local all "{access.guest}" peer map=stand-in'] if access.guest else []),
            f"host all {ADMINISTRATOR} 0.0.0.0/0 reject",
            *(f"{kind} all all {network} scram-sha-256" for network in access.networks),
        ]
        write(self.data / "pg_hba.conf", "\n".join(lines) + "\n")

    def check_flags(self) -> None:
        """Raise OperationFailedError when the server would refuse a flag's value."""
        for name, value in self.flags.items():
            arguments = [self.program("postgres"), "-D", str(self.data), "-C", name, "-c", f"{name}={value}"]
            status, said = run(arguments)
            if status:
                raise OperationFailedError("INVALID_FLAG_VALUE", f"database flag {name}={value}: {reason(said)}")

    def serving(self) -> bool:
        """Tell whether the server answers."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Start the server, unless it answers already (it outlives a killed stand-in).

        One that is on its way up, or down, since a stand-in was killed meanwhile, is awaited.
        """
        self._bring_programs()
        if SYSTEM_USER and self.data.owner() != SYSTEM_USER:  # of a stand-in that ran it as another user
            require(
                ["/usr/bin/chown", "--recursive", SYSTEM_USER, *map(str, (self.data, self.folder / "run"))], user=None
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.serving():
            if not self._running():
                self._launch()
                return
            if time.monotonic() > deadline:
                message = f"the process that {self.data / 'postmaster.pid'} names does not answer"
                raise OperationFailedError("INTERNAL_ERROR", f"{message} within {_START_SECONDS} s")
            time.sleep(0.05)

    def _running(self) -> bool:
        """Tell whether the process that postmaster.pid names is there, as PostgreSQL itself judges."""
        status, _ = run([self.program("pg_ctl"), "status", f"--pgdata={self.data}"])
        return status == 0

    def _launch(self) -> None:
        log = self.folder / "postgres.log"
        if not log.exists():
            log.touch(mode=0o600)
            hand_over(log)
        status, said = run(
            [
                *(self.program("pg_ctl"), "start", f"--pgdata={self.data}"),
                *(f"--log={log}", "--wait", f"--timeout={_START_SECONDS}"),
            ]
        )
        if status:
            reasons = [line for line in log.read_text().splitlines()[-10:] if "could not" in line or "FATAL" in line]
            where = ", ".join(self.addresses)
            message = f"PostgreSQL does not start on {where}: {' '.join(reasons) or reason(said)} ({log})"
            taken = any("Address already in use" in reason for reason in reasons)
            remedy = f". End the program that holds port {PORT} there (`ss -ltnp` names it)" if taken else ""
            raise OperationFailedError("INTERNAL_ERROR", message + remedy)

    def stop(self) -> None:
        """Stop the server: open sessions are ended, nothing committed is lost."""
        status, said = run([self.program("pg_ctl"), "stop", f"--pgdata={self.data}", "--mode=fast", "--wait"])
        if status and (self.data / "postmaster.pid").exists() and self.serving():
            raise OperationFailedError("INTERNAL_ERROR", f"pg_ctl stop: {reason(said)}")

    def apply(self) -> None:
        """Make changed configuration count: by a reload, and by a restart where PostgreSQL wants one."""
        with self.connect() as connection:
            [(before, _)] = connection.execute("SELECT pg_conf_load_time(), pg_reload_conf()").fetchall()
        deadline = time.monotonic() + _START_SECONDS
        while not (pending := self._pending_restart(before)):
            if time.monotonic() > deadline:
                raise OperationFailedError("INTERNAL_ERROR", "PostgreSQL did not read its changed configuration")
            time.sleep(0.02)
        if pending[0]:
            self.restart()

    def _pending_restart(self, before: datetime) -> tuple[bool] | None:
        """Whether the configuration loaded since `before` wants a restart; None while none was loaded."""
        query = """
            SELECT EXISTS (SELECT FROM pg_settings WHERE pending_restart) FROM pg_postmaster_start_time()
            WHERE pg_conf_load_time() > %s
        """
        with self.connect() as connection:
            return connection.execute(query, [before]).fetchone()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop the server and delete all it holds."""
        if self.data.exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect as the administrator, each statement a transaction of its own."""
        return psycopg.connect(
            host=str(self.folder / "run"),
            port=PORT,
            user=ADMINISTRATOR,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def execute(self, statement: sql.SQL | sql.Composed, database: str = "postgres") -> None:
        """Run one statement as the administrator; OperationFailedError with the server's words when it refuses."""
        try:
            with self.connect(database) as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            raise OperationFailedError("INVALID_REQUEST", error.diag.message_primary or str(error)) from error


def verifier(user: str, password: str) -> str:
    """Answer what PostgreSQL keeps of a password (SCRAM-SHA-256), so that nobody here has to keep the password."""
    unconnected = pq.PGconn.connect_start(b"host=/nonexistent")  # libpq wants a connection, and asks it nothing
    return unconnected.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()


def _setting(name: str, value: str) -> str:
    return "{} = '{}'\n".format(name, value.replace("\\", "\\\\").replace("'", "''"))
