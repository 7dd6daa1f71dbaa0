"""The stand-in as a program: python -m local.gcp --state DIR --listen HOST:PORT --sql-addresses CIDR.

Owns start and end: arguments, sockets, the order in which the parts come up and go down.
"""

import argparse
import asyncio
import fcntl
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn, TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.errors import UserError
from local.gcp import LONGEST_STATE, projects
from local.gcp.app import Api
from local.gcp.bucket_access import BucketAccess
from local.gcp.compute import ComputeOperations, GlobalAddresses
from local.gcp.grants import Grants
from local.gcp.iam import ServiceAccounts
from local.gcp.metadata import PATH as METADATA_PATH
from local.gcp.metadata import Metadata
from local.gcp.object_store import ObjectStore
from local.gcp.objects import Objects
from local.gcp.policies import Policies
from local.gcp.service_networking import Connections, ServiceNetworkingOperations
from local.gcp.sql_backups import Backups
from local.gcp.sql_contents import Contents
from local.gcp.sql_deletion import Deletion
from local.gcp.sql_instances import Instances
from local.gcp.sql_lifecycle import Lifecycle
from local.gcp.sql_operations import SqlOperations
from local.gcp.sql_restores import Restores
from local.gcp.sql_schedule import Schedule
from local.gcp.sql_transfers import Transfers
from local.gcp.storage import Buckets
from local.gcp.store import Store
from local.gcp.supervisor import Supervisor
from local.gcp.tokens import PATH as TOKEN_PATH
from local.gcp.tokens import Tokens

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_HIGHEST_PORT = 65535


def build(state: Path, addresses: ipaddress.IPv4Network, grant_seconds: float) -> Starlette:
    """Put the stand-in together; its servers start and stop with the application."""
    store = Store(state / "store.sqlite3")
    policies, kept = Policies(store, grant_seconds), ObjectStore(store, state / "objects")
    operations = (SqlOperations(store), ComputeOperations(store), ServiceNetworkingOperations(store))
    ranges = GlobalAddresses(store, operations[1], addresses)
    connections = Connections(store, operations[2], ranges)
    instances = Instances(store, operations[0], state / "sql", addresses)
    buckets = Buckets(store, policies, kept)
    accounts = ServiceAccounts(store, policies)
    tokens = Tokens(accounts.certificates)
    grants = Grants(buckets, tokens)
    objects = Objects(store, kept, grants, tokens)
    contents = Contents(instances)
    transfers = Transfers(instances, contents, BucketAccess(grants, kept))
    backups = Backups(instances, state / "backups")
    supervisor = Supervisor(instances, Schedule(instances, backups))
    services = (
        *(Lifecycle(instances, connections), Deletion(instances, backups), contents, transfers),
        *(backups, Restores(instances, backups)),
        *(buckets, objects, grants, accounts, ranges, connections),
    )
    handlers = {id_: handler for service in services for id_, handler in service.handlers().items()}
    api = Api({**handlers, **projects.handlers()}, objects.streams(), objects.plain, grants.caller)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await run_in_threadpool(kept.sweep)
        await run_in_threadpool(supervisor.start)
        for accepted in operations:
            accepted.resume()
        yield
        for accepted in operations:
            await run_in_threadpool(accepted.close)
        await run_in_threadpool(supervisor.stop)
        store.close()

    async def health(_: Request) -> JSONResponse:
        failing = await run_in_threadpool(supervisor.failing)
        return JSONResponse({"pid": os.getpid(), "failing": failing}, 503 if failing else 200)

    metadata = Metadata(accounts, tokens)
    known = [Route(TOKEN_PATH, tokens.exchange, methods=["POST"]), Route(METADATA_PATH, metadata.answer)]
    routes = [Route("/healthz", health), *known, Route("/{path:path}", api.__call__, methods=_METHODS)]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    arguments = _arguments()
    try:
        state: Path = arguments.state.absolute()
        addresses = _network(arguments.sql_addresses)
        sockets = [_listen(address) for address in arguments.listen]
        lock = _take(state)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    application = build(state, addresses, arguments.grant_seconds)
    config = uvicorn.Config(application, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    asyncio.run(uvicorn.Server(config).serve(sockets=sockets))
    lock.close()


def _end(*_: object) -> NoReturn:
    """Take the signal that uvicorn raises again after it has shut down: an ordinary end."""
    sys.exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.gcp", description="Google Cloud stand-in")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where everything is kept")
    parser.add_argument("--listen", action="append", required=True, metavar="HOST:PORT", help="may be repeated")
    parser.add_argument("--sql-addresses", required=True, metavar="CIDR", help="addresses of the database servers")
    parser.add_argument("--grant-seconds", type=float, default=0, metavar="N", help="after which a policy counts (0)")
    return parser.parse_args()


def _take(state: Path) -> TextIO:
    """Make the state folder ours. PostgreSQL runs as another user, who has to pass through it."""
    if len(str(state)) > LONGEST_STATE:
        raise UserError(f"--state {state} is longer than {LONGEST_STATE} characters. Choose a shorter folder.")
    if (state / "objects" / "index.sqlite3").exists():
        remedy = "`make down` with that one, or choose another folder or remove this one."
        raise UserError(f"--state {state} is of an earlier release, whose objects this one cannot read. {remedy}")
    for folder in (state, state / "sql"):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    for folder in (state / "objects", state / "backups"):
        folder.mkdir(mode=0o700, exist_ok=True)
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"--state {state} is in use by another stand-in. Stop that one first.") from error
    return lock


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    ip = _local_address(host, address)
    if not port.isdecimal() or not 1 <= int(port) <= _HIGHEST_PORT:
        raise UserError(f"--listen {address}: {port!r} is no port. Give HOST:PORT, such as 127.0.0.1:8085.")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(ip), int(port)))
    except OSError as error:
        raise UserError(f"--listen {address}: {error.strerror}. Choose another, or stop who holds it.") from error
    return listener


def _local_address(host: str, address: str) -> ipaddress.IPv4Address:
    try:
        ip = ipaddress.IPv4Address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise UserError(f"--listen {address}: {host!r} is no IPv4 address.") from error
    if ip.is_unspecified or not ip.is_private:
        raise UserError(f"--listen {address}: only loopback and private addresses, one by one; it has no password.")
    return ip


def _network(cidr: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise UserError(f"--sql-addresses {cidr}: {error}. Give a network such as 10.89.1.128/25.") from error
    if not network.is_private or network.network_address.is_unspecified:
        raise UserError(f"--sql-addresses {cidr} is not private. Give a network such as 10.89.1.128/25.")
    return network


if __name__ == "__main__":
    main()
