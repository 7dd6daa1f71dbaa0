"""`rotate`: another password for the server at its database, without a failed request.

The program does it: a new account by the migration Job, pods rolled to it, then the old account retired.
"""

from operations.progress import say
from operations.stack import Stack

_SETTING = "mlflow:databasePasswordGeneration"


def rotate(stack: Stack) -> None:
    """Count the password's generation up and bring the stack up to date."""
    generation = int(stack.setting(_SETTING)) + 1
    if stack.setting("mlflow:databaseUser") == "postgres":
        say(
            "mlflow:databaseUser is postgres: its password changes at once, and the pods of before fail to open further"
            " connections until they are replaced"
        )
    say(f"{_SETTING}: {generation - 1} becomes {generation}")
    stack.set(_SETTING, str(generation))
    try:
        stack.up()
    except BaseException:
        say(
            "pods that were not replaced yet use the password of before, which is retired after the last of them; type"
            f" `pulumi up --stack {stack.name}` to go on, or run the same command again, which makes yet another one"
        )
        raise
    say(f"the server uses password {generation}; commit {stack.file}")
