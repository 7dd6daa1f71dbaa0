"""Which clone an instance belongs to, so that two clones never act on the same one."""

import os
from pathlib import Path

from local.errors import UserError
from local.instance import CLUSTER_VARIABLE, NAME_VARIABLE, STATE_ROOT, Instance
from local.virtualenv import PROJECT


def claim(instance: Instance) -> None:
    """Note that the instance belongs to this clone, and of what kind its cluster is.

    Raises:
        UserError: another clone holds the name, an instance of another name has the same addresses, or this one has
            a cluster of another kind than MLFLOW_LOCAL_CLUSTER says.

    """
    check(instance)
    chosen = os.environ.get(CLUSTER_VARIABLE) or instance.cluster
    if chosen != instance.cluster:
        raise UserError(
            f"{CLUSTER_VARIABLE}={chosen}, but the cluster of the instance {instance.name!r} is of the kind "
            f"{instance.cluster}: run `make down` first"
        )
    for other in sorted(STATE_ROOT.glob("*/owner")):
        name = other.parent.name
        if name != instance.name and Instance(name).number == instance.number:
            raise UserError(
                f"{NAME_VARIABLE}={instance.name} would share the addresses {instance.subnet} with the instance "
                f"{name!r}: choose another name"
            )
    instance.state.mkdir(parents=True, exist_ok=True)
    instance.state.chmod(0o711)
    _note(instance).write_text(str(PROJECT.resolve()))
    instance.cluster_note.write_text(chosen)


def check(instance: Instance) -> None:
    """Check that no other clone holds the instance; one that no longer exists holds nothing.

    Raises:
        UserError: another clone does; the message names it.

    """
    holder = owner(instance)
    if holder is not None and holder != PROJECT.resolve() and (holder / "Pulumi.yaml").exists():
        raise UserError(
            f"the instance {instance.name!r} belongs to the clone {holder}: run `make down` there, "
            f"or choose another name here: `make up {NAME_VARIABLE}=NAME`"
        )


def owner(instance: Instance) -> Path | None:
    """Return the clone that holds the instance, None when nobody does."""
    note = _note(instance)
    return Path(note.read_text()) if note.exists() else None


def _note(instance: Instance) -> Path:
    return instance.state / "owner"
