"""`rotate` and `rotate-encryption`: another password at the database, other keys in it, without a failed request.

The program does it: a migration Job, pods rolled to what is new, then what was before is retired.
"""

from operations.progress import say
from operations.stack import Stack

_PASSWORD = "mlflow:databasePasswordGeneration"  # noqa: S105 - the name of a setting
_ENCRYPTION = "mlflow:encryptionGeneration"


def rotate(stack: Stack) -> None:
    """Count the password's generation up and bring the stack up to date."""
    if stack.setting("mlflow:databaseUser") == "postgres":
        say(
            "mlflow:databaseUser is postgres: its password changes at once, and the pods of before fail to open further"
            " connections until they are replaced"
        )
    before = "pods that were not replaced yet use the password of before, which is retired after the last of them"
    generation = _count_up(stack, _PASSWORD, before)
    say(f"the server uses password {generation}; commit {stack.file}")


def rotate_encryption(stack: Stack) -> None:
    """Count the generation of the keys up and bring the stack up to date."""
    before = "what the keys of before encrypted stays readable, and is brought over after the last pod that has them"
    generation = _count_up(stack, _ENCRYPTION, before)
    say(f"secrets in the database are encrypted with the keys {generation}; commit {stack.file}")


def _count_up(stack: Stack, key: str, before: str) -> int:
    """Count a generation up, bring the stack up to date and return it; where that fails, say what holds of `before`."""
    generation = int(stack.setting(key)) + 1
    say(f"{key}: {generation - 1} becomes {generation}")
    stack.set(key, str(generation))
    try:
        stack.up()
    except BaseException:
        say(f"{before}; type `pulumi up --stack {stack.name}` to go on: the same command would count up once more")
        raise
    return generation
