"""A stand-in of the image python:3.11-slim-bookworm, made of Debian's own packages.

Both hold Debian 12 and a Python 3.11 with `venv`; here Python is Debian's, in /usr/bin rather than /usr/local/bin.
"""

from pathlib import Path

from local.cache import cached, key_of
from local.command import output, run
from local.packages import require
from local.progress import step

NAME = "python:3.11-slim-bookworm"
ALONE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Runs a command whose mounts nobody else sees, and that ends with its caller, however that one ends."""

_RELEASE = "bookworm"
_PACKAGES = "python3,python3-venv,libstdc++6,ca-certificates,netbase,tzdata"  # what the image holds and wheels need
_LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)  # as debian:*-slim does
_KEPT = "/usr/share/doc/*/copyright"
_DOCKERFILE = """\
FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
"""


def key() -> str:
    """Return what the stand-in follows from."""
    return key_of(Path(__file__))


def context() -> Path:
    """Return a folder whose Dockerfile builds the stand-in, made once and then taken from the cache.

    Raises:
        UserError: mmdebstrap is missing, or no Debian mirror answers.

    """
    return cached("image-base", key(), _make, need_gib=2)


def _make(folder: Path) -> None:
    require({"mmdebstrap": "mmdebstrap"})
    content = ["--variant=essential", f"--include={_PACKAGES}"]
    paths = [*(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT), f"--dpkgopt=path-include={_KEPT}"]
    target = [_RELEASE, folder / "base.tar", *_mirrors()]
    with step("image: making a Python base image of Debian packages (about 1 minute)"):
        # TMPDIR: what an interrupted run leaves goes with the folder.
        run(
            [*ALONE, "mmdebstrap", "--quiet", *content, *paths, *_apt_options(), *target],
            env={"TMPDIR": str(folder)},
        )
    (folder / "Dockerfile").write_text(_DOCKERFILE)


def _mirrors() -> list[str]:
    """Return this machine's own sources of the release; none, for mmdebstrap's default, on another distribution."""
    sources = output(
        ["apt-get", "indextargets", "--format=deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    )
    ours = (line for line in sources.splitlines() if line.split()[2].split("-")[0] == _RELEASE)
    return sorted(line for line in ours if line.split()[3] == "main")


def _apt_options() -> list[str]:
    """Return this machine's own ways to reach a mirror: proxies, certificates, old snapshots that are welcome."""
    wanted = ("Acquire::http", "Acquire::Check-", "Acquire::Retries")
    settings = output(["apt-config", "dump", "Acquire"], env={"LC_ALL": "C"}).splitlines()
    own = [line for line in settings if line.startswith(wanted) and not line.endswith('"";')]
    return [f"--aptopt={line.removesuffix(';')}" for line in own]
