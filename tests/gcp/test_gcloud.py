"""The `gcloud` commands of the pages that touch Cloud Storage and Cloud SQL, by gcloud itself.

Where gcloud is not installed there is nothing to run. It needs no account: credentials are off, the endpoints are the
stand-in's.
"""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import storage

from tests.gcp.standin import PASSWORD, PROJECT, StandIn, query

pytestmark = pytest.mark.skipif(shutil.which("gcloud") is None, reason="needs the gcloud CLI")

DOCS = Path(__file__).parents[2] / "docs"
ARTIFACTS, BACKUPS = f"{PROJECT}-mlflow-artefacts", f"{PROJECT}-mlflow-artefacts-backups"
NAMES = ("small", "empty", "ü x/日本", "page.html", "mail.eml")


class Gcloud:
    """gcloud with a configuration of its own, and what the pages' commands take from their surroundings."""

    def __init__(self, standin: StandIn, folder: Path) -> None:
        kubectl = folder / "kubectl"
        kubectl.write_text(f"#!/bin/sh\nprintf %s {base64.b64encode(PASSWORD.encode()).decode()}\n")
        kubectl.chmod(0o755)
        self._env = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "1",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{standin.url}/storage/v1/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL": f"{standin.url}/",
            "PROJECT": PROJECT,
            "REGION": "europe-west1",
        }

    def __call__(self, command: str, **variables: str) -> str:
        """Run a command of a page in a shell and return what it printed."""
        argv = ["bash", "-euc", command]
        env = {**self._env, **variables}
        done = subprocess.run(argv, check=False, capture_output=True, text=True, env=env, timeout=120)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def gcloud(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Gcloud:
    return Gcloud(standin, tmp_path_factory.mktemp("gcloud"))


@pytest.fixture(scope="module")
def buckets(standin: StandIn) -> Iterator[dict[str, storage.Bucket]]:
    """The buckets that the pages name, with an artifact and two backups."""
    with standin.storage() as client:
        made = {name: _uniform(client, name) for name in (ARTIFACTS, BACKUPS, f"{PROJECT}-mlflow-second")}
        made[ARTIFACTS].blob("1/artifacts/model").upload_from_string("model")
        for backup in ("first", "second"):
            made[BACKUPS].blob(f"{backup}/manifest.json").upload_from_string("{}")
        yield made


def _uniform(client: storage.Client, name: str) -> storage.Bucket:
    bucket = client.bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    return client.create_bucket(bucket)


def _commands(page: str, *words: str) -> list[str]:
    """Return the commands of a page that begin with some words, those within its text among them."""
    text = (DOCS / page).read_text().replace("\\\n", "")
    start = re.escape(" ".join(("gcloud", *words)))
    found = re.findall(rf"^ *({start} .*)$|`({start} [^`]+)`", text, re.MULTILINE)
    return ["".join(match) for match in found]


def test_the_bucket_of_pulumi_s_state_is_made_as_the_page_says(standin: StandIn, gcloud: Gcloud) -> None:
    for verb in ("create", "update", "add-iam-policy-binding"):
        (command,) = _commands("gke.md", "storage", "buckets", verb)
        gcloud(command)

    path = f"/storage/v1/b/{PROJECT}-pulumi"
    bucket = standin.http.get(path).json()
    assert (bucket["location"], bucket["versioning"]) == ("EUROPE-WEST1", {"enabled": True})
    assert bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    assert bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
    assert "roles/storage.objectViewer" in standin.http.get(f"{path}/iam").text


@pytest.mark.usefixtures("buckets")
def test_viewers_of_the_project_lose_the_right_to_read_artifacts(standin: StandIn, gcloud: Gcloud) -> None:
    reader = {"role": "roles/storage.legacyObjectReader", "members": [f"projectViewer:{PROJECT}"]}
    for name in (ARTIFACTS, BACKUPS):
        path = f"/storage/v1/b/{name}/iam"
        policy = standin.http.get(path).json()
        assert reader in policy["bindings"]

        (command,) = _commands("gke.md", "storage", "buckets", "remove-iam-policy-binding")
        gcloud(command, bucket=name)

        assert reader not in standin.http.get(path).json()["bindings"]


def test_backups_are_listed_and_one_is_removed(gcloud: Gcloud, buckets: dict[str, storage.Bucket]) -> None:
    (listing,) = _commands("day-two.md", "storage", "ls")
    assert gcloud(listing).split() == [f"gs://{BACKUPS}/{backup}/manifest.json" for backup in ("first", "second")]

    (removal,) = _commands("day-two.md", "storage", "rm")
    gcloud(removal.replace("<backup>", f"gs://{BACKUPS}/first"))

    assert [blob.name for blob in buckets[BACKUPS].list_blobs()] == ["second/manifest.json"]


def test_a_final_backup_comes_back_in_another_instance(
    standin: StandIn, gcloud: Gcloud, buckets: dict[str, storage.Bucket]
) -> None:
    kept = standin.create("mlflow-tracking", backupConfiguration={"enabled": True})
    query(kept, "CREATE TABLE runs AS SELECT 'of the first' AS name")
    deleted = standin.done(
        standin.sql("DELETE", "instances/mlflow-tracking?enableFinalBackup=true&finalBackupTtlDays=90")
    )
    assert "error" not in deleted
    second = standin.create("mlflow-second")

    (listing,) = _commands("day-two.md", "sql", "backups", "list")
    (final,) = [line.split()[0] for line in gcloud(listing).splitlines() if " FINAL " in line]
    (restore,) = _commands("day-two.md", "sql", "backups", "restore")
    gcloud(restore, BACKUP=final.rpartition("/")[2])
    (password,) = _commands("day-two.md", "sql", "users", "set-password")
    gcloud(password)

    assert query(second, "SELECT name FROM runs") == [("of the first",)]
    (copy,) = _commands("day-two.md", "storage", "rsync")
    gcloud(copy)
    assert buckets[f"{PROJECT}-mlflow-second"].blob("1/artifacts/model").download_as_bytes() == b"model"


def test_files_of_every_kind_and_size_go_up_and_come_back(
    gcloud: Gcloud, buckets: dict[str, storage.Bucket], tmp_path: Path
) -> None:
    sent, received = tmp_path / "sent", tmp_path / "received"
    for name in NAMES:
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        (sent / name).write_bytes(b"" if name == "empty" else b"From: a\n\n" + os.urandom(99))
    (sent / "large").write_bytes(os.urandom(20 << 20))
    received.mkdir()

    gcloud(f"gcloud storage cp --recursive {sent} gs://{ARTIFACTS}")
    gcloud(f"gcloud storage rsync --recursive gs://{ARTIFACTS}/sent {received}")

    for name in (*NAMES, "large"):
        assert (received / name).read_bytes() == (sent / name).read_bytes()
    gcloud(
        f"gcloud storage objects compose gs://{ARTIFACTS}/sent/small gs://{ARTIFACTS}/sent/small gs://{ARTIFACTS}/two"
    )
    assert buckets[ARTIFACTS].blob("two").download_as_bytes() == 2 * (sent / "small").read_bytes()
