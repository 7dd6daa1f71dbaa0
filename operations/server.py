"""The server of a stack on its cluster, by `kubectl`: stopped, started, and asked how much it holds."""

import base64
import json
import time

from operations.command import follow, output
from operations.errors import UserError
from operations.progress import say, step
from operations.stack import Stack

APP = "mlflow-tracking-server"
"""Name of the Deployment."""
CONTAINER = f"{APP}-pod"
"""Name of the server's container in it."""
GARBAGE_COLLECTION = "mlflow-garbage-collection"
"""Name of the CronJob that may delete runs."""
CREDENTIALS = "mlflow-postgresql-credentials"
"""Name of the Secret with the server's password."""

_IMAGE = f'{{.spec.template.spec.containers[?(@.name=="{CONTAINER}")].image}}'
_POD_LABELS = f"app in ({APP}-pods, {APP}-garbage-collection)"
_STOP_SECONDS = 180
_POLL_SECONDS = 1
_ROLLOUT = "30m"
# The server's own connection is in the variables of its pod.
_ASK = "import sys, psycopg; print(psycopg.connect().execute(sys.argv[1]).fetchone()[0])"


class Server:
    """The Deployment of a stack and what works beside it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        context, namespace = stack.setting("kubernetes:context"), stack.output("namespace")
        self._kubectl = ("kubectl", "--context", context, "--namespace", namespace)

    def replicas(self) -> int | None:
        """Return how many pods the Deployment is to have now; None where there is none."""
        found = self._output("get", f"deployment/{APP}", "--ignore-not-found", "--output=jsonpath={.spec.replicas}")
        return int(found) if found else None

    def image(self) -> str:
        """Return the image that the Deployment runs now."""
        return self._output("get", f"deployment/{APP}", f"--output=jsonpath={_IMAGE}")

    def ask(self, query: str) -> str | None:
        """Return the one value that a query of the server's database yields; None where no pod serves to ask it."""
        ready = self._output("get", f"deployment/{APP}", "--output=jsonpath={.status.readyReplicas}")
        if not ready or ready == "0":
            return None
        words = ("exec", f"deployment/{APP}", "--container", CONTAINER, "--", "/opt/mlflow/bin/python3", "-c", _ASK)
        return self._output(*words, query).strip()

    def password(self) -> str:
        """Return the server's password at the database."""
        secret = json.loads(self._output("get", f"secret/{CREDENTIALS}", "--output=json"))
        return base64.b64decode(secret["data"]["postgresql-password"]).decode()

    def stop(self) -> None:
        """End all pods that use the database, and see that none is started."""
        with step("server: stopping") as still:
            self._hold_off_garbage_collection()
            self._output("scale", f"deployment/{APP}", "--replicas=0")
            end = time.monotonic() + _STOP_SECONDS
            while pods := self._output("get", "pods", "--selector", _POD_LABELS, "--output=name").split():
                if time.monotonic() > end:
                    raise UserError(
                        f"waited {_STOP_SECONDS} s in vain for {', '.join(pods)} to end; `kubectl describe` tells why"
                    )
                time.sleep(_POLL_SECONDS)
                still(f"{len(pods)} pods left")

    def start(self) -> None:
        """Start the pods again, which the program leaves to an autoscaler that rests at 0; wait until they serve."""
        if self.replicas() == 0:
            least, _ = self._stack.replicas
            self._output("scale", f"deployment/{APP}", f"--replicas={least}")
        say("server: starting …")
        follow(*self._kubectl, "rollout", "status", f"deployment/{APP}", f"--timeout={_ROLLOUT}")

    def note(self, key: str) -> str:
        """Return what an interrupted command left word of at the Deployment; empty if nothing."""
        found = json.loads(self._output("get", f"deployment/{APP}", "--output=json"))
        return found["metadata"].get("annotations", {}).get(key, "")

    def leave_note(self, key: str, value: str | None) -> None:
        """Leave word of what is being done at the Deployment, None to take it away."""
        self._output("annotate", f"deployment/{APP}", "--overwrite", f"{key}-" if value is None else f"{key}={value}")

    def _hold_off_garbage_collection(self) -> None:
        """End it if it runs, and let it begin no more until the next `pulumi up --refresh`."""
        found = self._output("get", f"cronjob/{GARBAGE_COLLECTION}", "--ignore-not-found", "--output=name")
        if not found:
            return
        self._output("patch", f"cronjob/{GARBAGE_COLLECTION}", "--patch", json.dumps({"spec": {"suspend": True}}))
        jobs = json.loads(self._output("get", "jobs", "--output=json"))["items"]
        for name in (each["metadata"]["name"] for each in jobs if _collects(each)):
            self._output("delete", f"job/{name}", "--ignore-not-found")

    def _output(self, *words: str) -> str:
        return output(*self._kubectl, *words)


def _collects(job: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    return any(owner["name"] == GARBAGE_COLLECTION for owner in job["metadata"].get("ownerReferences", []))
