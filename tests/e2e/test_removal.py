"""What is left on the machine when all is over; comes last."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from google.cloud import storage

from local.instance import Instance
from tests.e2e import machine
from tests.e2e.conftest import INSTANCE, Stack

NAMES = ("ü x/日本", "a", "a/b", "dots/../up", "end/", "double//slash", "x/acl", "% +?#&", "long" * 256)


def use_as_several_clients_do(bucket: storage.Bucket) -> None:
    """Leave in a bucket what clients leave: thousands of objects, names of all kinds, generations, an open upload."""
    bucket.versioning_enabled = True
    bucket.patch()

    def put(name: str) -> None:
        bucket.blob(name).upload_from_string("x")

    with ThreadPoolExecutor(8) as uploads:
        list(uploads.map(put, [*NAMES, *NAMES, *map(str, range(1000))]))
    bucket.blob(NAMES[0]).delete()
    opened = str(bucket.blob("broken off").create_resumable_upload_session())
    assert httpx.put(opened, content=bytes(1 << 18), headers={"content-range": "bytes 0-262143/*"}).status_code == 308


def test_destroy_after_a_day_of_use_removes_every_resource(stack: Stack) -> None:
    with storage.Client.create_anonymous_client() as client:
        use_as_several_clients_do(client.bucket(stack.outputs["artifact_root"].removeprefix("gs://").split("/")[0]))

    stack.project.output("pulumi", "destroy", "--yes", "--skip-preview")

    assert stack.project.output("pulumi", "stack", "--show-urns", "--show-ids").count("urn:pulumi") == 0
    assert "mlflow" not in stack.project.output("kubectl", "get", "namespaces").split()


def test_make_down_leaves_nothing(stack: Stack) -> None:
    kinds = {line.partition(" ")[0] for line in machine.trace(Instance(INSTANCE)) - stack.before}
    assert {"process", "link", "route", "rule", "file"} <= kinds

    stack.project.output("make", "down")

    assert machine.trace(Instance(INSTANCE)) == stack.before
