"""Secrets in the database outlive the server that wrote them, and a change of the keys they are encrypted with."""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from mlflow.exceptions import MlflowException
from mlflow.utils import crypto

from local.process import wait_for
from tests.image.container import Unpacked, call, running, serving
from tests.image.database import Database, Instance

BACKEND = "postgresql+psycopg2://"
PUBLISHED = (crypto.DEFAULT_KEK_PASSPHRASE, 1)
ANSWER = (
    b'{"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": {}, "choices": [{"index": 0,'
    b' "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}]}'
)


def webhook_key(generation: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(bytes([generation])).digest()).decode()


def passphrase(generation: int) -> tuple[str, int]:
    return f"passphrase {generation}", generation


def keys(generation: int) -> list[str]:
    """Return what a container of a generation is told: its own keys, those of before and the next ones."""
    told = [f"MLFLOW_CRYPTO_KEK_VERSION={generation}"]
    for each in range(1, generation + 2):
        suffix = "" if each == generation else f"_{each}"
        told.append(f"MLFLOW_CRYPTO_KEK_PASSPHRASE{suffix}={passphrase(each)[0]}")
        told.append(f"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY{suffix}={webhook_key(each)}")
    return told


class Elsewhere(BaseHTTPRequestHandler):
    """Somebody who is sent events, and an LLM provider; keeps what it was sent last, by path."""

    sent: dict[str, tuple[dict[str, str], bytes]] = {}  # noqa: RUF012 - one for all

    def do_POST(self) -> None:
        """Keep it and answer as a provider does."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.sent[self.path] = ({name.lower(): value for name, value in self.headers.items()}, body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Servers of two generations on one database."""

    database: Database
    servers: dict[str, httpx.Client]
    elsewhere: str

    def webhook(self, server: str) -> str:
        """Make a webhook and return its id; its secret is "of " and its name."""
        name = secrets.token_hex(4)
        body = {
            "name": name,
            "url": f"{self.elsewhere}/{name}",
            "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
            "secret": f"of {name}",
        }
        return self.ask(server, "POST", "2.0/mlflow/webhooks", body)["webhook"]["webhook_id"]

    def encrypted_otherwise(self, webhook: str, key: str | bytes) -> None:
        """Encrypt a webhook's secret with another key, as another server would have."""
        name = self.row("webhooks", "name", webhook)
        secret = Fernet(key).encrypt(f"of {name}".encode()).decode()
        self.database.ask(f"UPDATE webhooks SET secret = '{secret}' WHERE webhook_id = '{webhook}'")  # noqa: S608

    def delivers(self, server: str, webhook: str) -> bool:
        """Tell whether a server signs what it sends to a webhook with the webhook's secret."""
        name = self.row("webhooks", "name", webhook)
        self.ask(server, "POST", f"2.0/mlflow/webhooks/{webhook}/test", {})
        headers, body = Elsewhere.sent.pop(f"/{name}")
        signed = f"{headers['x-mlflow-delivery-id']}.{headers['x-mlflow-timestamp']}.{body.decode()}"
        digest = hmac.new(f"of {name}".encode(), signed.encode(), hashlib.sha256).digest()
        return headers.get("x-mlflow-signature") == f"v1,{base64.b64encode(digest).decode()}"

    def listed(self, server: str) -> set[str]:
        """Return the ids of all webhooks."""
        answer = self.servers[server].get("/api/2.0/mlflow/webhooks", params={"max_results": 100})
        assert answer.is_success, answer.text
        return {each["webhook_id"] for each in answer.json().get("webhooks", [])}

    def provider(self, server: str) -> str:
        """Make an endpoint of the gateway and return the id of its key, which is "key-of-" and the endpoint's name."""
        name = secrets.token_hex(4)
        kept = {
            "secret_name": name,
            "secret_value": {"api_key": f"key-of-{name}"},
            "provider": "openai",
            "auth_config": {"api_base": f"{self.elsewhere}/{name}"},
        }
        secret = self.ask(server, "POST", "3.0/mlflow/gateway/secrets/create", kept)["secret"]["secret_id"]
        model = {"name": name, "secret_id": secret, "provider": "openai", "model_name": "m"}
        made = self.ask(server, "POST", "3.0/mlflow/gateway/model-definitions/create", model)["model_definition"]
        used = {"model_definition_id": made["model_definition_id"], "linkage_type": "PRIMARY", "weight": 1}
        self.ask(server, "POST", "3.0/mlflow/gateway/endpoints/create", {"name": name, "model_configs": [used]})
        return secret

    def wrapped_otherwise(self, secret: str, now: tuple[str, int], then: tuple[str, int]) -> None:
        """Wrap a provider's key with another passphrase, as another server would have."""
        inner = self.unwrapped(secret, now)
        assert inner is not None
        wrapped = crypto.wrap_dek(inner, _derived(then)).hex()
        self.database.ask(f"UPDATE secrets SET wrapped_dek = '\\x{wrapped}' WHERE secret_id = '{secret}'")  # noqa: S608

    def unwrapped(self, secret: str, with_: tuple[str, int]) -> bytes | None:
        """Return what a passphrase makes of a provider's key, None where it does not fit."""
        wrapped = bytes.fromhex(self.row("secrets", "encode(wrapped_dek, 'hex')", secret))
        try:
            return crypto.unwrap_dek(wrapped, _derived(with_))
        except MlflowException:
            return None

    def serves(self, server: str, secret: str) -> bool:
        """Tell whether a server sends a provider its key."""
        name = self.row("secrets", "secret_name", secret)
        body = {"model": name, "messages": [{"role": "user", "content": "Hello"}]}
        answer = self.servers[server].post("/gateway/mlflow/v1/chat/completions", json=body)
        assert answer.is_success, answer.text
        headers, _ = Elsewhere.sent.pop(f"/{name}/chat/completions")
        return headers["authorization"] == f"Bearer key-of-{name}"

    def row(self, table: str, column: str, id_: str) -> str:
        """Return a column of a webhook or of a provider's key."""
        key = {"webhooks": "webhook_id", "secrets": "secret_id"}[table]
        [[value]] = self.database.ask(f"SELECT {column} FROM {table} WHERE {key} = '{id_}'")  # noqa: S608
        return str(value)

    def ask(self, server: str, method: str, path: str, body: object = None) -> dict[str, dict[str, str]]:
        """Call a server, which has to answer well."""
        answer = self.servers[server].request(method, f"/api/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


def _derived(passphrase: tuple[str, int]) -> bytes:
    return crypto.KEKManager(passphrase=passphrase[0], kek_version=passphrase[1]).get_kek()


@pytest.fixture(scope="module")
def elsewhere() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def world(
    image: Unpacked, tmp_path_factory: pytest.TempPathFactory, instance: Instance, elsewhere: str
) -> Generator[World]:
    database, folder = instance.database(), tmp_path_factory.mktemp("encryption")
    call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, folder, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    private = [f"MLFLOW_{each}=http" for each in ("WEBHOOK_ALLOWED_SCHEMES", "GATEWAY_API_BASE_ALLOWED_SCHEMES")]
    private += [f"MLFLOW_{each}_ALLOW_PRIVATE_IPS=true" for each in ("WEBHOOK", "GATEWAY_API_BASE")]

    def start(generation: int) -> httpx.Client:
        environment = [*database.for_server(), *keys(generation), *private]
        server = serving(image, folder / str(generation), ["--backend-store-uri", BACKEND], environment)
        return servers.enter_context(server)

    with ExitStack() as servers:
        with ThreadPoolExecutor() as pool:
            before, after = pool.map(start, [1, 2])
        yield World(database=database, servers={"before": before, "after": after}, elsewhere=elsewhere)


def brought_over(image: Unpacked, folder: Path, world: World) -> str:
    """Bring everything over to the keys of generation 2, and return what the program says."""
    folder.mkdir(exist_ok=True)
    said = folder / "server.log"
    with running(image, folder, ["mlflow-encryption"], [*world.database.for_server(), *keys(2)]) as program:
        wait_for(lambda: program.process.poll() is not None, what="the program to end", deadline=60, log=said)
    assert program.process.returncode == 0, said.read_text()
    return said.read_text()


@pytest.mark.parametrize(("writer", "reader"), [("before", "after"), ("after", "before")])
def test_pods_of_before_and_after_a_rotation_read_one_another_s_secrets(world: World, writer: str, reader: str) -> None:
    webhook, provider = world.webhook(writer), world.provider(writer)

    assert webhook in world.listed(reader)
    assert world.delivers(reader, webhook)
    assert world.serves(reader, provider)


def test_a_key_that_the_published_passphrase_opens_serves_until_it_is_brought_over(world: World) -> None:
    provider = world.provider("before")
    world.wrapped_otherwise(provider, passphrase(1), PUBLISHED)

    assert world.serves("after", provider)


def test_once_brought_over_no_earlier_key_opens_anything(image: Unpacked, tmp_path: Path, world: World) -> None:
    webhook, of_before, published = world.webhook("before"), world.provider("before"), world.provider("before")
    world.wrapped_otherwise(published, passphrase(1), PUBLISHED)

    brought_over(image, tmp_path, world)

    assert Fernet(webhook_key(2)).decrypt(world.row("webhooks", "secret", webhook)).startswith(b"of ")
    for secret in (of_before, published):
        assert world.unwrapped(secret, PUBLISHED) is None
        assert world.unwrapped(secret, passphrase(1)) is None
        assert world.row("secrets", "kek_version", secret) == "2"
        assert world.serves("before", secret)
        assert world.serves("after", secret)
    assert world.delivers("before", webhook)
    assert world.delivers("after", webhook)
    assert "mlflow-encryption: 0 secrets were brought over" in brought_over(image, tmp_path, world)


def test_a_webhook_whose_key_is_lost_breaks_no_list_and_can_be_deleted(world: World) -> None:
    webhook = world.webhook("before")
    world.encrypted_otherwise(webhook, Fernet.generate_key())

    assert webhook in world.listed("before")
    assert webhook in world.listed("after")
    world.ask("after", "DELETE", f"2.0/mlflow/webhooks/{webhook}")
    assert webhook not in world.listed("before")


def test_what_nobody_can_read_is_named_and_a_webhook_without_its_secret_is_disabled(
    image: Unpacked, tmp_path: Path, world: World
) -> None:
    webhook, provider = world.webhook("before"), world.provider("before")
    world.encrypted_otherwise(webhook, Fernet.generate_key())
    world.wrapped_otherwise(provider, passphrase(1), ("nobody's", 1))
    wrapped = world.row("secrets", "wrapped_dek", provider)

    said = brought_over(image, tmp_path, world)

    assert f"webhook {world.row('webhooks', 'name', webhook)} ({webhook}) is disabled" in said
    assert (world.row("webhooks", "secret", webhook), world.row("webhooks", "status", webhook)) == ("None", "DISABLED")
    assert f"key {world.row('secrets', 'secret_name', provider)} ({provider}) was encrypted with a key that is" in said
    assert world.row("secrets", "wrapped_dek", provider) == wrapped


def test_what_was_cut_off_half_way_is_finished_the_next_time(image: Unpacked, tmp_path: Path, world: World) -> None:
    webhook, provider = world.webhook("before"), world.provider("before")
    written = world.row("webhooks", "secret", webhook)
    arguments = ["mlflow-encryption"], [*world.database.for_server(), *keys(2)]

    with world.database.connect() as other, other.transaction():
        other.execute("SELECT FROM secrets FOR UPDATE")
        with running(image, tmp_path / "cut", *arguments) as program:
            wait_for(lambda: _waits(world.database), what="the program to wait", deadline=30, log=program.log)
            world.database.ask(f"SELECT pg_terminate_backend(pid) {_WAITING}")
            wait_for(lambda: program.process.poll() is not None, what="its end", deadline=30, log=program.log)
    assert program.process.returncode == 1
    assert world.row("webhooks", "secret", webhook) != written
    assert world.unwrapped(provider, passphrase(1)) is not None
    assert world.serves("before", provider)

    brought_over(image, tmp_path, world)

    assert world.unwrapped(provider, passphrase(2)) is not None
    assert world.delivers("after", webhook)


_WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE secrets%'"


def _waits(database: Database) -> bool:
    return bool(database.ask(f"SELECT pid {_WAITING}"))
