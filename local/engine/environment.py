"""The environment in which commands find the Pulumi engine and its plugins."""

import os
import shutil
from pathlib import Path

from local.cache import cache_root
from local.engine.build import engine

PASSPHRASE = "local"  # noqa: S105 - public on purpose: nobody else may read the state folder


def own_engine() -> Path | None:
    """Return the folder of the engine that is built here; None where the person's own `pulumi` is used."""
    found = shutil.which("pulumi")
    if found is None or Path(found).resolve().is_relative_to(cache_root().resolve()):
        return engine()
    return None


def engine_environment(state: Path) -> dict[str, str]:
    """Return the variables with which the engine keeps its state in a folder and uses no other plugins than ours."""
    state.mkdir(parents=True, exist_ok=True)
    variables = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    built = own_engine()
    if built is None:
        return variables
    home = state / "home"
    home.mkdir(exist_ok=True)
    _link(home / "plugins", built / "plugins")
    return variables | {
        "PATH": first_on_path(built / "bin", os.environ.get("PATH", "")),
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def first_on_path(folder: Path, path: str) -> str:
    """Return a PATH that asks `folder` first."""
    return ":".join([str(folder), *(other for other in path.split(":") if other != str(folder))])


def _link(name: Path, target: Path) -> None:
    """Make `name` a symbolic link to `target`, whatever it was before."""
    if not name.is_symlink() or name.readlink() != target:
        partial = name.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        partial.symlink_to(target)
        partial.rename(name)
