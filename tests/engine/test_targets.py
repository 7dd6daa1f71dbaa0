"""The targets of the Makefile that workflows call, in the real engine."""

from tests.scratch import Scratch


def test_a_preview_shows_the_plan_held_against_the_policies(dev: Scratch) -> None:
    shown = dev.output("make", "preview", "STACK=dev")

    assert "gcp:sql/databaseInstance:DatabaseInstance: (create)" in shown
    assert "Policy Packs run:" in shown
    assert "rootPassword" in shown
    assert "to create" in shown


def test_drift_is_a_verb_of_the_operations(dev: Scratch) -> None:
    command = dev.output("make", "--dry-run", "drift", "STACK=dev").split()

    assert command == [".venv/bin/python", "-m", "operations", "drift", "--stack", "dev"]
    assert "--stack" in dev.output(*command[:4], "--help")


def test_without_a_name_no_stack_is_touched(dev: Scratch) -> None:
    for target in ("preview", "deploy", "drift"):
        done = dev.run("make", target)

        assert done.returncode != 0
        assert f"which stack? make {target} STACK=prod" in done.stderr
        assert not done.stdout
