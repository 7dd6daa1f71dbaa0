"""Results that take long to build, kept once a machine and safe to delete.

A result is built in a temporary folder and renamed when it is whole, so a half-written one is never seen; a lock lets
one builder work while others wait for its result.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import UserError
from local.progress import say

GIB = 1024**3


def cache_root() -> Path:
    """Return the folder of all results: `$XDG_CACHE_HOME/mlflow-local`, by default below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlflow-local"


def key_of(*parts: str | Path) -> str:
    """Return 12 hexadecimal digits that follow from the content of the given texts, files and folders."""
    digest = hashlib.sha256()
    for part in parts:
        for name, content in _contents(part):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]


def _contents(part: str | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(part, str):
        yield "", part.encode()
    elif part.is_dir():
        for file in sorted(path for path in part.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            yield str(file.relative_to(part)), file.read_bytes()
    else:
        yield part.name, part.read_bytes()


@contextmanager
def locked(path: Path, waiting: str) -> Generator[None]:
    """Hold the lock file `path`; say `waiting` once when somebody else holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_space(folder: Path, need_gib: float) -> None:
    """Check free disk space before anything is written.

    Raises:
        UserError: less than `need_gib` GiB are free.

    """
    free = shutil.disk_usage(folder).free / GIB
    if free < need_gib:
        raise UserError(
            f"{folder} has {free:.1f} GiB free, {need_gib:g} GiB are needed: free some, "
            "or set XDG_CACHE_HOME to a folder on a larger disk"
        )


def cached(name: str, key: str, build: Callable[[Path], None], *, need_gib: float = 1) -> Path:
    """Return the folder of a result, building it first where it is missing.

    Args:
        name: what it is, for people.
        key: what it follows from; see `key_of`.
        build: writes the result into the folder that it is given.
        need_gib: free disk space that building takes, in GiB.

    Raises:
        UserError: too little space, or what `build` raises.

    """
    root = cache_root()
    result = root / f"{name}-{key}"
    if result.is_dir():
        return result
    with locked(root / f".{name}.lock", f"{name}: waiting for another build of it to end …"):
        if result.is_dir():
            return result
        require_space(root, need_gib)
        for leftover in root.glob(f".{name}-partial-*"):
            shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=f".{name}-partial-", dir=root))
        try:
            build(partial)
            partial.chmod(0o755)
            os.sync()
            partial.rename(result)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return result
