"""The `dev` stack asked of the stand-in."""

from tests.e2e.conftest import Stack


def test_a_preview_of_dev_works_against_the_stand_in_with_its_endpoints_alone_overridden(stack: Stack) -> None:
    project = stack.project
    project.output("pulumi", "stack", "init", "dev", "--no-select")
    local = (project.folder / "Pulumi.local.yaml").read_text().splitlines()
    overrides = [line.strip().split(": ", 1) for line in local if "Endpoint: " in line or "accessToken: " in line]
    walk_through = [["gcp:project", "my-project"], ["mlflow:authorizedNetworks[0]", "192.0.2.7/32"]]
    for key, value in [*overrides, *walk_through]:
        project.output("pulumi", "config", "set", "--stack", "dev", "--path", "--plaintext", key, value)

    planned = project.changes("--stack", "dev")

    assert len(overrides) == 7
    assert set(planned.values()) == {"create"}
    assert "gcp:serviceaccount/key:Key::mlflow-tracking-key" in planned
