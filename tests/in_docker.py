"""What Docker holds, for tests that look at what is left in it."""

from tests.scratch import Scratch

NAMES = {"container": ("--all", "{{.Names}}"), "network": ("--no-trunc", "{{.Name}}"), "volume": ("{{.Name}}",)}
"""By kind, what `docker KIND ls` is told to list every name; the last word is the format."""


def in_docker(project: Scratch) -> set[str]:
    """Return the containers, networks and volumes on the project's engine, each as its kind and its name."""
    found: set[str] = set()
    for kind, (*options, name) in NAMES.items():
        found |= {f"{kind} {each}" for each in project.output("docker", kind, "ls", *options, "--format", name).split()}
    return found
