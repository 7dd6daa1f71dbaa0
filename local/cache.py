"""Results that take long to build, kept once a machine and safe to delete.

A result is built in a temporary folder and renamed when it is whole, so a half-written one is never seen; a lock lets
one builder work while others wait for its result. One that lost a file since, or a part of one, is built again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

from local.errors import UserError
from local.progress import say

GIB = 1024**3
MANIFEST = ".manifest.json"
"""The file of a result with the names and sizes, in bytes, of all others that were built."""
_may_build = ContextVar("may_build", default=True)


class NotBuiltError(UserError):
    """A result is missing where nothing may be built."""


@contextmanager
def nothing_built() -> Generator[None]:
    """Inside, let `cached` raise NotBuiltError for a missing result: what is done there is not worth the wait."""
    before = _may_build.set(False)
    try:
        yield
    finally:
        _may_build.reset(before)


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
    """Hold the lock file `path`, which the holder may delete; say `waiting` when somebody else holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(waiting)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_at(path, lock):
                yield
                return


def _is_at(path: Path, lock: TextIO) -> bool:
    """Tell whether a lock file is still the one that others would open, and not deleted by who held it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False


def require_space(folder: Path, need_gib: float, remedy: str = "") -> None:
    """Check free disk space before anything is written; `remedy` is what helps beside freeing some.

    Raises:
        UserError: less than `need_gib` GiB are free.

    """
    free = shutil.disk_usage(folder).free / GIB
    if free < need_gib:
        raise UserError(
            f"{folder} has {free:.1f} GiB free, {need_gib:g} GiB are needed: free some{remedy and f', or {remedy}'}"
        )


def cached(name: str, key: str, build: Callable[[Path], None], *, need_gib: float = 1) -> Path:
    """Return the folder of a result, building it first where it is missing.

    Args:
        name: what it is, for people.
        key: what it follows from; see `key_of`.
        build: writes the result into the folder that it is given.
        need_gib: free disk space that building takes, in GiB.

    Raises:
        NotBuiltError: it is missing, inside `nothing_built`.
        UserError: too little space, or what `build` raises.

    """
    root = cache_root()
    result = root / f"{name}-{key}"
    if _whole(result):
        return result
    if not _may_build.get():
        raise NotBuiltError(f"{result} is missing: run `make up`, which builds it")
    with locked(root / f".{name}.lock", f"{name}: waiting for another build of it to end …"):
        if _whole(result):
            return result
        if result.exists():
            say(f"{name}: {result} is not as it was built: building it again")
            shutil.rmtree(result)
        require_space(root, need_gib, "set XDG_CACHE_HOME to a folder on a larger disk")
        for leftover in root.glob(f".{name}-partial-*"):
            shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(prefix=f".{name}-partial-", dir=root))
        try:
            build(partial)
            note_files(partial)
            partial.chmod(0o755)
            os.sync()
            partial.rename(result)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return result


def note_files(result: Path) -> None:
    """Write down what a result consists of; Python's own caches may change at any time."""
    files = (file for file in result.rglob("*") if file.is_symlink() or file.is_file())
    sizes = {str(file.relative_to(result)): file.lstat().st_size for file in files if "__pycache__" not in file.parts}
    (result / MANIFEST).write_text(json.dumps(sizes))


def _whole(result: Path) -> bool:
    """Tell whether every file is there that was built, in its size; what came later does not count."""
    try:
        sizes: dict[str, int] = json.loads((result / MANIFEST).read_text())
        return all((result / name).lstat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
