"""Large artifacts for tests: quick to make and compare, and wrong where a part is missing, doubled or out of place."""

import hashlib
import os
from pathlib import Path

import mlflow
from mlflow import artifacts

MIB = 1 << 20
_STRIDE = 16 * MIB


def write(path: Path, mib: int) -> Path:
    """Write a file of `mib` MiB, with something of its own every 16 MiB and zeros between, and return it."""
    with path.open("wb") as file:
        file.truncate(mib * MIB)
        for start in range(0, mib * MIB, _STRIDE):
            file.seek(start)
            file.write(os.urandom(min(4096, mib * MIB - start)))
    return path


def goes_up_and_comes_down(folder: Path, mib: int) -> None:
    """Log an artifact of `mib` MiB by MLflow's client as it comes, fetch it, and compare."""
    file = write(folder / "weights.bin", mib)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(file))
    fetched = Path(
        artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=file.name, dst_path=str(folder / "fetched"))
    )
    assert fetched.stat().st_size == mib * MIB
    assert _digest(fetched) == _digest(file)
    # pytest keeps the folders of several runs.
    file.unlink()
    fetched.unlink()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
