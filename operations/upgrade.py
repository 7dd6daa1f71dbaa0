"""`upgrade` and `downgrade`: another release of MLflow, and the way back.

A release migrates the tables to its own form, and none migrates them back: the way back is the backup that was made
before. Cloud SQL keeps it with the instance; artifacts are not touched by either.
"""

from datetime import datetime

from operations.errors import UserError
from operations.instance import BackupRun, Instance
from operations.progress import say
from operations.server import Server
from operations.stack import Stack
from settings import kubernetes

_SETTING = "mlflow:image"
_NOTE = "mlflow-operations/upgrading"
_BEFORE = " before "


def upgrade(stack: Stack, image: str) -> None:
    """Back the database up, then replace the server's image: tables first, then pod by pod."""
    _check_image(stack, image)
    server = Server(stack)
    with Instance(stack) as instance:
        backup = _backup_before(instance, server, image)
    before = backup.description.partition(_BEFORE)[0]
    back = f"python -m operations downgrade {before} --backup {backup.id} --stack {stack.name}"
    say(f"{_SETTING}: {before} becomes {image}")
    stack.set(_SETTING, image)
    try:
        stack.up()
        server.leave_note(_NOTE, None)
    except BaseException:
        say(
            f"not done: pods of {before} serve until the tables are migrated, and clients are asked to wait from then"
            f" until pods of {image} are ready. Run the same command again to go on; the way back, which loses what was"
            f" logged since {backup.time}, is\n  {back}"
        )
        raise
    say(
        f"the server runs {image}; commit {stack.file}. The way back, which loses what is logged from now on:\n  {back}"
    )


def _backup_before(instance: Instance, server: Server, image: str) -> BackupRun:
    """Return the backup to go back to; the same upgrade, interrupted, may have migrated tables and has made it."""
    begun, _, made = server.note(_NOTE).rpartition(" ")
    if begun == image:
        say(f"going on with what is not done yet, without another backup than {made}")
        return instance.backup(made)
    backup = instance.back_up(f"{server.image()}{_BEFORE}{image}")
    server.leave_note(_NOTE, f"{image} {backup.id}")
    return backup


def downgrade(stack: Stack, image: str, backup_id: str, *, confirmed: bool) -> None:
    """Put the database back to a backup of before, and the server to the image of before."""
    _check_image(stack, image)
    server = Server(stack)
    with Instance(stack) as instance:
        backup = instance.backup(backup_id)
        say(f"backup {backup.id} of {backup.time}: {backup.description or 'made by Cloud SQL itself'}")
        say(f"lost: {_lost(server, backup)}. Their artifacts stay in {stack.output('artifact_root')}, without a run")
        if not confirmed:
            _confirm(stack)
        try:
            server.stop()
            before = instance.back_up(f"{stack.image} before going back to {image}")
            say(f"the database of before is backup {before.id} of the instance {instance.name}")
            instance.restore(backup)
            if stack.setting("mlflow:databaseUser") == "postgres":
                instance.set_password("postgres", server.password())  # the backup may be older than it
            stack.set(_SETTING, image)
            stack.up_with_new_jobs()
            server.leave_note(_NOTE, None)
            server.start()
        except BaseException:
            say("not done: the server is stopped, or not ready; run the same command again, which does all of it anew")
            raise
    say(f"the server runs {image} on the database of {backup.time}; commit {stack.file}")


def _check_image(stack: Stack, image: str) -> None:
    problem = kubernetes.image(image)
    if problem is None and stack.setting("mlflow:durable") == "true" and "@" not in image:
        problem = "a durable stack names its image by digest, <name>@sha256:<digest>; `docker push` tells it"
    if problem:
        raise UserError(f"IMAGE {image}: {problem}")


def _lost(server: Server, backup: BackupRun) -> str:
    since = int(datetime.fromisoformat(backup.time).timestamp() * 1000)
    runs = server.ask(f"SELECT count(*) FROM runs WHERE start_time >= {since}")  # noqa: S608 - a number
    begun = "runs cannot be counted, since no pod is ready" if runs is None else f"{runs} runs were begun since"
    return f"everything that was logged or changed since {backup.time}; {begun}"


def _confirm(stack: Stack) -> None:
    try:
        typed = input(f"Type the name of the stack to go on ({stack.name}): ")
    except EOFError as error:
        raise UserError("nobody is here to confirm; nothing was changed. Add --yes") from error
    if typed.strip() != stack.name:
        raise UserError(f"{typed!r} is not {stack.name!r}; nothing was changed")
