"""A rehearsal of the `prod` stack: its own file, with what only a team can know, and stand-ins' addresses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from local.gcp import endpoints
from local.instance import Instance
from tests.production.certificate import Certificate
from tests.scratch import Scratch

HOST = "mlflow.example.com"
PROJECT_ID = "team-project"
STACK = "prod"
LEAST_PODS = 2


@dataclass(frozen=True)
class Rehearsal:
    """A copy of the project with a `prod` stack, acting on a running instance.

    Attributes:
        project: the copy.
        instance: where it is deployed to.
        certificate: of HOST.

    """

    project: Scratch
    instance: Instance
    certificate: Certificate

    def configure(self, image: str, changes: Mapping[str, str]) -> None:
        """Make the stack and set what a team sets, and where the stand-ins are; `changes` come on top."""
        self.project.output("pulumi", "stack", "select", "--create", STACK)
        google = {f"gcp:{key}": url for key, url in endpoints(self.instance.gcp_endpoint).items()}
        plain = {
            **google,
            "gcp:project": PROJECT_ID,
            "kubernetes:context": self.instance.profile,
            "mlflow:network": f"projects/{PROJECT_ID}/global/networks/default",
            "mlflow:image": image,
            "mlflow:host": HOST,
            "mlflow:ingressClass": "nginx",
            "mlflow:tlsCertificate": self.certificate.certificate,
            # Two servers, and a third while they are replaced or at work, on what kubeadm's pods leave of two cores.
            "mlflow:cpuRequest": "250m",
            "mlflow:workers": "1",
            "mlflow:maxReplicas": "3",
            **changes,
        }
        secret = {"gcp:accessToken": "stand-in", "mlflow:tlsKey": self.certificate.key}
        self.change_settings(plain, secret)

    def change_settings(self, plain: Mapping[str, str], secret: Mapping[str, str] = MappingProxyType({})) -> None:
        """Set settings of the stack."""
        words = [word for key, value in plain.items() for word in ("--plaintext", f"{key}={value}")]
        words += [word for key, value in secret.items() for word in ("--secret", f"{key}={value}")]
        self.project.output("pulumi", "config", "set-all", "--stack", STACK, *words)

    def deploy(self) -> None:
        """Bring the stack up as people do."""
        self.project.output("make", "deploy", f"STACK={STACK}")

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs, secrets as well."""
        return json.loads(
            self.project.output("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", STACK)
        )

    def kubectl(self, *words: str) -> str:
        """Run kubectl in the namespace of the server."""
        return self.project.output("kubectl", "--namespace", "mlflow", *words)

    def by_digest(self, image: str) -> str:
        """Name an image that the node holds by its digest as well, as a registry would; return that name."""
        ctr = ("docker", "exec", self.instance.profile, "ctr", "--namespace", "k8s.io", "images")
        listed = self.project.output(*ctr, "list", f"name=={image}").splitlines()[1]
        name = f"{image.rpartition(':')[0]}@{listed.split()[2]}"
        self.project.output(*ctr, "tag", "--force", image, name)
        return name

    def in_node(self) -> tuple[str, ...]:
        """Return what a command begins with that runs in the network of the cluster's node."""
        return ("docker", "exec", self.instance.profile)

    def pods(self) -> set[str]:
        """Return the names of the server's pods, those that are ending as well."""
        words = ("get", "pods", "--selector", "app=mlflow-tracking-server-pods", "--output", "name")
        return set(self.kubectl(*words).split())

    def settled(self, number: int | None = None) -> bool:
        """Tell whether `number` pods, or else as many as the autoscaler wants, are ready and no other is left."""
        found = json.loads(self.kubectl("get", "deployment", "mlflow-tracking-server", "--output", "json"))
        wanted = found["spec"]["replicas"]
        expected = wanted >= LEAST_PODS if number is None else wanted == number
        return expected and found["status"].get("readyReplicas") == wanted == len(self.pods())
