"""Root file systems made of Debian's own packages, for machines that cannot pull an image to start from."""

from collections.abc import Sequence
from pathlib import Path

from local.command import output, run
from local.packages import require

RELEASE = "bookworm"
ALONE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Runs a command whose mounts nobody else sees, and that ends with its caller, however that one ends."""
_LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)  # as debian:*-slim does
_KEPT = "/usr/share/doc/*/copyright"


def root(archive: Path, packages: Sequence[str]) -> None:
    """Write a file system with the essential packages, the given ones, and what they depend on.

    Args:
        archive: the tar file to write; its folder holds what is in the making.
        packages: names of Debian's.

    Raises:
        UserError: mmdebstrap is missing, or no Debian mirror answers.

    """
    require({"mmdebstrap": "mmdebstrap"})
    content = ["--variant=essential", f"--include={','.join(packages)}"]
    paths = [*(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT), f"--dpkgopt=path-include={_KEPT}"]
    target = [RELEASE, archive, *_mirrors()]
    # TMPDIR: what an interrupted run leaves goes with the folder.
    run(
        [*ALONE, "mmdebstrap", "--quiet", *content, *paths, *_apt_options(), *target],
        env={"TMPDIR": str(archive.parent)},
    )


def _mirrors() -> list[str]:
    """Return this machine's own sources of the release; none, for mmdebstrap's default, on another distribution."""
    sources = output(
        ["apt-get", "indextargets", "--format=deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    )
    ours = (line for line in sources.splitlines() if line.split()[2].split("-")[0] == RELEASE)
    return sorted(line for line in ours if line.split()[3] == "main")


def _apt_options() -> list[str]:
    """Return this machine's own ways to reach a mirror: proxies, certificates, old snapshots that are welcome."""
    wanted = ("Acquire::http", "Acquire::Check-", "Acquire::Retries")
    settings = output(["apt-config", "dump", "Acquire"], env={"LC_ALL": "C"}).splitlines()
    own = [line for line in settings if line.startswith(wanted) and not line.endswith('"";')]
    return [f"--aptopt={line.removesuffix(';')}" for line in own]
