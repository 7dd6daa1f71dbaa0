#!/opt/mlflow/bin/python3
"""Removes for good what was deleted long ago: `mlflow-collect-garbage --older-than 30d --backend-store-uri URI`.

As `mlflow gc`, whose options these are, but one by one: `mlflow gc` ends at the first run that it cannot remove, such
as one whose artifacts were said to be in a store that the image has no driver for, and never comes to the rest. Here
such a one stays, a line on stderr names it, and the rest goes.

Status 0: all was removed. Status 1: something stays.
"""

import argparse
import sys
from collections.abc import Callable, Iterable

from mlflow import cli
from mlflow.entities import ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.time import get_current_time_millis

_NAME = "mlflow-collect-garbage"


class Collection:
    """One pass over everything that was deleted."""

    def __init__(self) -> None:
        self.removed = self.kept = 0

    def collect(self, *, backend_store: SqlAlchemyStore, time_delta: int, **_: object) -> None:
        """Remove what was deleted at least `time_delta` milliseconds ago; stands in for MLflow's function that does."""
        store = backend_store
        runs = store._get_deleted_runs(older_than=time_delta)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as all of these, made for `mlflow gc`
        models = store._get_deleted_logged_models(older_than=time_delta)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._each("run", runs, lambda run: _remove_run(store, run))
        self._each("logged model", models, lambda model: _remove_model(store, model))
        # Last, since whatever stays needs its experiment.
        self._each("experiment", _experiments(store, time_delta), lambda one: _remove_experiment(store, one))

    def _each(self, kind: str, names: Iterable[str], remove: Callable[[str], None]) -> None:
        for name in names:
            try:
                remove(name)
            except Exception as error:  # noqa: BLE001 - whatever ails one, the rest has to go
                self.kept += 1
                _say(f"{kind} {name} stays: {type(error).__name__}: {error}")
            else:
                self.removed += 1


def main() -> int:
    """Collect and return the exit status."""
    parser = argparse.ArgumentParser(prog=_NAME, description=__doc__)
    parser.add_argument("--older-than", required=True, help="how long ago it has to be deleted, such as 30d")
    parser.add_argument("--backend-store-uri", required=True, help="where the metadata is")
    arguments = parser.parse_args()
    collection = Collection()
    setattr(cli, "_gc_tracking_resources", collection.collect)  # noqa: B010 - private, and there is no other way
    options = ["--older-than", arguments.older_than, "--backend-store-uri", arguments.backend_store_uri]
    cli.cli(["gc", *options], standalone_mode=False)
    _say(f"{collection.removed} removed, {collection.kept} stay")
    return 1 if collection.kept else 0


def _say(text: str) -> None:
    print(f"{_NAME}:", " ".join(text.split()), file=sys.stderr, flush=True)  # noqa: T201 - that is what it is for


def _remove_run(store: SqlAlchemyStore, run: str) -> None:
    _remove_artifacts(store.get_run(run).info.artifact_uri)
    store._hard_delete_run(run)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _remove_model(store: SqlAlchemyStore, model: str) -> None:
    _remove_artifacts(store.get_logged_model(model, allow_deleted=True).artifact_location)
    store._hard_delete_logged_model(model)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _remove_artifacts(uri: str | None) -> None:
    if uri:
        get_artifact_repository(uri).delete_artifacts()


def _experiments(store: SqlAlchemyStore, age: int) -> list[str]:
    condition, token, found = f"last_update_time <= {get_current_time_millis() - age}", None, list[str]()
    while True:
        page = store.search_experiments(ViewType.DELETED_ONLY, filter_string=condition, page_token=token)
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if not token:
            return found


def _remove_experiment(store: SqlAlchemyStore, experiment: str) -> None:
    # Whatever is still there goes with its row, and nobody would find the artifacts any more.
    if runs := store.search_runs([experiment], "", ViewType.ALL, max_results=1):
        raise RuntimeError(f"its run {runs[0].info.run_id} is still there")
    # Models are not marked when their experiment is deleted.
    while models := store.search_logged_models([experiment]):
        for model in models:
            _remove_model(store, model.model_id)
    deleted = store._get_deleted_logged_models()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    for model in deleted:
        if store.get_logged_model(model, allow_deleted=True).experiment_id == experiment:
            raise RuntimeError(f"its logged model {model} is still there")
    store._hard_delete_experiment(experiment)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


if __name__ == "__main__":
    sys.exit(main())
