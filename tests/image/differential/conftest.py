"""Both servers, each with a database and a bucket of its own, and what they answer to the same calls."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from components.kubernetes.address import NodeAddress
from components.kubernetes.server_command import server_command
from tests.gcp.standin import PROJECT, StandIn
from tests.image import container
from tests.image.database import Instance
from tests.image.differential import plain
from tests.image.differential.answers import Answer, Reader
from tests.image.differential.provider import started
from tests.image.differential.steps import WORLDS, Kept, Step, steps
from tests.image.routes import WALK, Route, routes
from tests.image.test_encryption import keys
from tests.image.users import ADMIN, APP, configure, prepare


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A step in a world, and what both servers answered."""

    step: Step
    asked: Step
    """The step as it was in that world."""
    plain: Answer
    image: Answer

    def differences(self) -> list[str]:
        """Return the places where the answers differ."""
        plain, image = self.plain.flat(), self.image.flat()
        missing = object()
        return [part for part in {**plain, **image} if plain.get(part, missing) != image.get(part, missing)]

    def __str__(self) -> str:
        return f"{self.step.place}: {self.asked.call}\n  plain: {self.plain}\n  image: {self.image}"


@pytest.fixture(scope="session")
def provider() -> Generator[str]:
    """Address of the stand-in of a model provider."""
    with started() as address:
        yield address


@pytest.fixture(scope="session")
def plain_routes(tmp_path_factory: pytest.TempPathFactory) -> set[Route]:
    """Every route of a plain installation."""
    env = {"MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1], "MLFLOW_FLASK_SERVER_SECRET_KEY": "for-this-test-only"}
    return plain.walk(tmp_path_factory.mktemp("plain-routes"), env)


@pytest.fixture(scope="session")
def image_routes(image: container.Unpacked, tmp_path_factory: pytest.TempPathFactory) -> set[Route]:
    """Every route of the image."""
    env = [f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}", "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only"]
    said = container.call(image, tmp_path_factory.mktemp("image-routes"), ["python3", "-c", WALK], env)
    return set[Route]().union(*routes(said).values())


def _environment(standin: StandIn) -> list[str]:
    """Return what both servers are told: where the bucket is, and that addresses of this machine may be called."""
    private = [f"MLFLOW_{each}=http" for each in ("WEBHOOK_ALLOWED_SCHEMES", "GATEWAY_API_BASE_ALLOWED_SCHEMES")]
    private += [f"MLFLOW_{each}_ALLOW_PRIVATE_IPS=true" for each in ("WEBHOOK", "GATEWAY_API_BASE")]
    return [f"STORAGE_EMULATOR_HOST={standin.url}", f"GOOGLE_CLOUD_PROJECT={PROJECT}", *private]


@pytest.fixture(scope="session")
def plain_server(
    standin: StandIn, instance: Instance, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    """The plain installation's server; it makes its tables itself."""
    folder = tmp_path_factory.mktemp("plain")
    told = [*instance.database().for_administrator(), *configure(folder), *_environment(standin)]
    env = dict(each.split("=", 1) for each in told) | {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "basic_auth.ini")}
    options = [*_options(standin, "of-plain"), "--app-name", "basic-auth"]
    with plain.serving(folder, options, env) as client:
        client.auth = ADMIN
        yield client


@pytest.fixture(scope="session")
def image_server(
    image: container.Unpacked, standin: StandIn, instance: Instance, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    """The image's server, started as in a cluster."""
    folder, shared, database = tmp_path_factory.mktemp("image"), tmp_path_factory.mktemp("told"), instance.database()
    env = [*database.for_server(), *configure(shared), *_environment(standin), *keys(1)]
    options = [*_options(standin, "of-image"), *APP]
    container.call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    container.call(image, folder, ["mlflow-migrate"], env, shared=shared)
    prepare(image, folder, env, shared)
    with container.serving(image, folder, options, env, shared=shared) as client:
        client.auth, client.timeout = ADMIN, httpx.Timeout(60)
        yield client


def _options(standin: StandIn, bucket: str) -> list[str]:
    """Return how a server of a cluster is started, without the application; make the bucket."""
    standin.storage().create_bucket(bucket)
    command = server_command(
        port=5000,
        workers=1,
        access="proxied",
        address=NodeAddress(host="127.0.0.1", port=5000),
        service_hosts=[],
        users=True,
        metrics=False,
    )
    options = command[command.index("--backend-store-uri") : command.index("--app-name")]
    return [f"gs://{bucket}/artifacts" if each == "$(DEFAULT_ARTIFACT_ROOT)" else each for each in options]


@pytest.fixture(scope="session")
def compared(
    plain_server: httpx.Client, image_server: httpx.Client, provider: str, plain_routes: set[Route]
) -> list[Compared]:
    """Every step in both worlds, with the answers of both servers."""

    def answers(client: httpx.Client, bucket: str) -> list[tuple[Step, Step, Answer]]:
        reader = Reader(own={str(client.base_url).rstrip("/"): "<server>", bucket: "<bucket>", provider: "<provider>"})
        return list(_run(client, reader, provider, plain_routes))

    with ThreadPoolExecutor() as pool:
        of_plain = pool.submit(answers, plain_server, "of-plain")
        of_image = pool.submit(answers, image_server, "of-image")
        pairs = zip(of_plain.result(), of_image.result(), strict=True)
        return [Compared(step=step, asked=asked, plain=one, image=other) for (step, asked, one), (_, _, other) in pairs]


def _run(
    client: httpx.Client, reader: Reader, provider: str, known: set[Route]
) -> Generator[tuple[Step, Step, Answer]]:
    for world in WORLDS:
        for file in steps().values():
            if world != WORLDS[0] and all(step.within(world, known) == step for step in file):
                continue  # it would be the same calls again
            kept: Kept = {"world": world, "provider": provider}
            for step in file:
                asked = step.within(world, known)
                yield step, asked, reader.read(f"{world} {step.place}", asked.ask(client, kept))
