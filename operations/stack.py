"""A stack of this clone, as plain `pulumi` knows it: its settings, its outputs, and bringing it up to date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operations.command import follow, output
from operations.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed stack, as it was when it was loaded.

    Attributes:
        name: as `pulumi stack ls` lists it.
        settings: its settings by key, defaults as well; a secret one is empty.
        outputs: its outputs; a secret one is `[secret]`.

    """

    name: str
    settings: Mapping[str, str]
    outputs: Mapping[str, str]

    @classmethod
    def load(cls, name: str) -> "Stack":
        """Return the stack of that name.

        Raises:
            UserError: there is none, or nothing is deployed.

        """
        settings: dict[str, dict[str, Any]] = json.loads(output("pulumi", "config", "--json", "--stack", name))
        outputs = json.loads(output("pulumi", "stack", "output", "--json", "--stack", name))
        if not outputs:
            raise UserError(f"--stack {name}: nothing is deployed; type `pulumi up --stack {name}` first")
        return cls(
            name=name, settings={key: entry.get("value", "") for key, entry in settings.items()}, outputs=outputs
        )

    def setting(self, key: str) -> str:
        """Return a setting, empty where there is none."""
        return self.settings.get(key, "")

    def output(self, key: str) -> str:
        """Return an output.

        Raises:
            UserError: the stack has none of that name.

        """
        if key not in self.outputs:
            raise UserError(f"--stack {self.name}: it has no output {key}; type `pulumi up --stack {self.name}`")
        return self.outputs[key]

    @property
    def file(self) -> str:
        """Name of the file with its settings; a stack of Pulumi Cloud may be named with its organization."""
        return f"Pulumi.{self.name.rpartition('/')[2]}.yaml"

    @property
    def project(self) -> str:
        """Google Cloud project."""
        return self.setting("gcp:project")

    @property
    def image(self) -> str:
        """Image of the server."""
        return self.setting("mlflow:image")

    @property
    def artifacts(self) -> str:
        """Name of the artifact bucket."""
        return self.output("artifact_root").removeprefix("gs://")

    @property
    def backups(self) -> str:
        """Name of the bucket that backups are kept in.

        Raises:
            UserError: the stack has none.

        """
        if "backup_root" not in self.outputs:
            raise UserError(
                f"--stack {self.name}: it has no bucket for backups, since mlflow:durable is not true;"
                f" type `pulumi config set mlflow:durable true --stack {self.name}`, then `pulumi up`"
            )
        return self.output("backup_root").removeprefix("gs://")

    @property
    def database(self) -> str:
        """Name of the server's database."""
        return self.setting("mlflow:databaseUser")

    @property
    def replicas(self) -> tuple[int, int]:
        """How many server pods there may be: at least and at most."""
        least = int(self.setting("mlflow:replicas"))
        return least, max(least, int(self.setting("mlflow:maxReplicas")))

    def token(self) -> str | None:
        """Return the token in place of Google's application default credentials, if one is set."""
        if "gcp:accessToken" not in self.settings:
            return None
        return output("pulumi", "config", "get", "gcp:accessToken", "--stack", self.name).strip()

    def set(self, key: str, value: str) -> None:
        """Write a setting into the stack's file."""
        output("pulumi", "config", "set", key, value, "--stack", self.name)

    def up(self, *options: str) -> None:
        """Bring the stack up to date, held against the policies, as `make deploy` does."""
        follow("pulumi", "up", "--stack", self.name, "--policy-pack", "policy", "--yes", *options)

    def up_with_new_jobs(self) -> None:
        """Bring the stack up to what its database now holds: accounts and tables first, then the server."""
        exported = json.loads(output("pulumi", "stack", "export", "--stack", self.name))
        resources: list[dict[str, str]] = exported["deployment"]["resources"]
        jobs = [each["urn"] for each in resources if each["type"] == "kubernetes:batch/v1:Job"]
        self.up("--refresh", *(word for urn in jobs for word in ("--replace", urn)))
