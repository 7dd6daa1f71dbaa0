"""Builds the pinned Pulumi engine, its Python language host and the three provider plugins."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from local.cache import MANIFEST, cached, key_of
from local.command import output
from local.engine.go import MODULES_GIB, go_build, go_environment, go_version

MODULES = Path(__file__).parent / "modules"
PLUGINS = {"kubernetes": "4.25.0", "gcp": "10.2.0", "random": "4.21.4"}
PYTHON_SDK = "github.com/pulumi/pulumi/sdk/v3"


def engine() -> Path:
    """Return the folder with `bin` (for PATH) and `plugins` (for PULUMI_HOME), built where it is missing.

    Each program is kept by itself, so that a change of one module builds one program anew.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    key = key_of(MODULES, Path(__file__), go_version())
    return cached("engine", key, _put_together, need_gib=MODULES_GIB)


def _put_together(out: Path) -> None:
    for number, (name, build) in enumerate(_PROGRAMS.items(), start=1):
        key = key_of(MODULES / name, Path(__file__), go_version())
        program = cached(f"engine-{name}", key, partial(build, f"({number}/{len(_PROGRAMS)})"))
        shutil.copytree(
            program, out, copy_function=os.link, ignore=shutil.ignore_patterns(MANIFEST), dirs_exist_ok=True
        )


def _pulumi(place: str, out: Path) -> None:
    title = f"engine: building pulumi {place}, about 5 minutes"
    go_build(title, MODULES / "pulumi", ["tool"], _programs(out) / "pulumi")


def _language_python(place: str, out: Path) -> None:
    host, programs = MODULES / "language-python", _programs(out)
    title = f"engine: building pulumi-language-python {place}, about 1 minute"
    go_build(title, host, ["tool"], programs / "pulumi-language-python")
    sdk = Path(output(["go", "list", "-m", "-f", "{{.Dir}}", PYTHON_SDK], cwd=host, env=go_environment()).strip())
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-analyzer-policy-python"):
        # Go's module cache takes away the right to execute.
        Path(shutil.copy(sdk / "python" / script, programs)).chmod(0o755)


def _plugin(name: str, place: str, out: Path) -> None:
    folder, program = out / "plugins" / f"resource-{name}-v{PLUGINS[name]}", f"pulumi-resource-{name}"
    folder.mkdir(parents=True)
    title = f"engine: building {program} {place}, 2 to 7 minutes"
    go_build(title, MODULES / name, ["."], folder / program)


def _programs(out: Path) -> Path:
    (out / "bin").mkdir()
    return out / "bin"


_PROGRAMS: dict[str, Callable[[str, Path], None]] = {
    "pulumi": _pulumi,
    "language-python": _language_python,
    **{name: partial(_plugin, name) for name in PLUGINS},
}
