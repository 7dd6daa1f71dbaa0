"""Which clone an instance belongs to, so that two clones never act on the same one."""

from pathlib import Path

from local.errors import UserError
from local.instance import NAME_VARIABLE, STATE_ROOT, Instance
from local.virtualenv import PROJECT


def claim(instance: Instance) -> None:
    """Note that the instance belongs to this clone.

    Raises:
        UserError: as for `check`, or an instance of another name has the same addresses.

    """
    check(instance)
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


def check(instance: Instance) -> None:
    """Check that no other clone holds the instance and no earlier release made it; a clone that is gone holds nothing.

    Raises:
        UserError: another clone does, or an earlier release did; the message says what to do.

    """
    if (instance.state / "node").exists():
        raise UserError(
            f"the instance {instance.name!r} is of an earlier release, whose cluster was no minikube: run `make down` "
            f"in a clone of that release, or choose another name here: `make up {NAME_VARIABLE}=NAME`"
        )
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
