"""`mlflow-bucket` ends once the bucket lets the server in, and says what is missing where it does not."""

import json
from pathlib import Path

from tests.gcp.standin import StandIn
from tests.gcp.test_tokens import grant, make_key
from tests.image.container import Unpacked, attempt

BUCKET = "lets-in"


def test_the_server_is_told_what_is_missing_until_the_bucket_lets_it_in(
    image: Unpacked, tmp_path: Path, standin: StandIn
) -> None:
    key, shared = make_key(standin, "knocking"), tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "key.json").write_text(json.dumps(key))
    told = ["GOOGLE_APPLICATION_CREDENTIALS=/shared/key.json", f"API_ENDPOINT_OVERRIDE={standin.url}"]
    told.append(f"DEFAULT_ARTIFACT_ROOT=gs://{BUCKET}")
    command = ["mlflow-bucket", "--patience", "0"]

    none = attempt(image, tmp_path / "none", command, told, shared=shared)
    with standin.storage() as client:
        bucket = client.create_bucket(BUCKET)
        grant(key, bucket, "roles/storage.objectViewer")
        read = attempt(image, tmp_path / "read", command, told, shared=shared)
        grant(key, bucket, "roles/storage.objectUser")
        write = attempt(image, tmp_path / "write", command, told, shared=shared)

    assert (none.returncode, read.returncode, write.returncode) == (1, 1, 0)
    assert "does not exist" in none.stderr
    assert "yet: storage.objects.create, storage.objects.delete, storage.objects.update\n" in read.stderr
    assert "roles/storage.objectUser" in read.stderr
    assert write.stderr == f"mlflow-bucket: gs://{BUCKET} lets the server in\n"
