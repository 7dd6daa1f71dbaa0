"""Builds programs from Go modules, with what their go.sum pins and nothing else."""

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from local.cache import cache_root, locked
from local.command import output, run, tied
from local.errors import UserError
from local.progress import step

NEEDED = (1, 26, 4)
MODULES_GIB = 18


def go_version() -> str:
    """Return the version of Go, for cache keys.

    Raises:
        UserError: no Go, or one that is too old.

    """
    wanted = ".".join(map(str, NEEDED))
    if shutil.which("go") is None:
        raise UserError(
            f"`go` is not on PATH: install Go {wanted} or newer (https://go.dev/doc/install), "
            "or put `pulumi` with its plugins, `minikube` and `kubectl` on PATH"
        )
    version = output(["go", "env", "GOVERSION"]).strip()
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    if found is None or tuple(int(part or 0) for part in found.groups()) < NEEDED:
        raise UserError(f"`go` is {version}, {wanted} or newer is needed: https://go.dev/doc/install")
    return version


def go_environment() -> dict[str, str]:
    """Return what Go builds with: the person's own caches where they are chosen, else those of `forget_caches`."""
    own = cache_root() / "go"
    return {
        "GOCACHE": os.environ.get("GOCACHE") or str(own / "build"),
        "GOMODCACHE": os.environ.get("GOMODCACHE") or str(own / "modules"),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
    }


def forget_caches() -> None:
    """Remove Go's caches (about 16 GB after a full build) unless the person chose them."""
    own = cache_root() / "go"
    if own.exists():
        with _at_work():
            run(["chmod", "-R", "u+w", own])
            shutil.rmtree(own)


def _at_work() -> AbstractContextManager[None]:
    """Keep others from removing Go's caches under a build."""
    return locked(cache_root() / ".go.lock", "waiting for another build of Go programs to end …")


def go_build(title: str, module: Path, packages: Sequence[str], out: Path, ldflags: str = "") -> None:
    """Build packages of a module, statically and without the machine's paths, and vet the module's own code.

    Args:
        title: what is built, for the progress line.
        module: the folder of go.mod.
        packages: what to build; `tool` for the module's tools.
        out: the program's file, or an existing folder for several.
        ldflags: for the linker, beside those that leave debugging tables out.

    Raises:
        UserError: the build failed; a module that did not arrive is named by Go's own words.

    """
    flags = ["-trimpath", "-buildvcs=false"]
    link = ["-ldflags", f"-s -w {ldflags}".strip()]
    with _at_work(), step(title):
        run(tied(["go", "build", *flags, *link, "-o", out, *packages]), cwd=module, env=go_environment())
        if "tool" not in packages:
            run(tied(["go", "vet", *flags, "./..."]), cwd=module, env=go_environment())
