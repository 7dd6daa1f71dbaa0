"""Builds the pinned Pulumi engine, its Python language host and the three provider plugins."""

import shutil
from pathlib import Path

from local.cache import cached, key_of
from local.command import output
from local.engine.go import MODULES_GIB, go_build, go_environment, go_version

MODULES = Path(__file__).parent / "modules"
PLUGINS = {"kubernetes": "4.25.0", "gcp": "10.2.0", "random": "4.21.4"}
PYTHON_SDK = "github.com/pulumi/pulumi/sdk/v3"


def engine() -> Path:
    """Return the folder with `bin` (for PATH) and `plugins` (for PULUMI_HOME), built where it is missing.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    key = key_of(MODULES, Path(__file__), go_version())
    return cached("engine", key, _build, need_gib=MODULES_GIB)


def _build(out: Path) -> None:
    programs = out / "bin"
    programs.mkdir()
    total = 2 + len(PLUGINS)
    go_build(f"engine: building pulumi (1/{total}, about 5 minutes)", MODULES / "pulumi", ["tool"], programs / "pulumi")
    host = MODULES / "language-python"
    go_build(
        f"engine: building pulumi-language-python (2/{total}, about 1 minute)",
        host,
        ["tool"],
        programs / "pulumi-language-python",
    )
    sdk = Path(output(["go", "list", "-m", "-f", "{{.Dir}}", PYTHON_SDK], cwd=host, env=go_environment()).strip())
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-analyzer-policy-python"):
        # Go's module cache takes away the right to execute.
        Path(shutil.copy(sdk / "python" / script, programs)).chmod(0o755)
    for number, (name, version) in enumerate(PLUGINS.items(), start=3):
        folder = out / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True)
        program = f"pulumi-resource-{name}"
        title = f"engine: building {program} ({number}/{total}, 2 to 7 minutes)"
        go_build(title, MODULES / name, ["."], folder / program)
