"""What `local.oci` packs is an image by the specification's own rules."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local import oci


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF pretended")
    path.chmod(0o700)
    return path


@pytest.fixture
def archive(tmp_path: Path, program: Path) -> Path:
    path = tmp_path / "image.tar"
    config = {"Entrypoint": ["/bin/program"], "User": "65535:65535"}
    oci.write_image(path, "localhost/example:1", {"/bin/program": program}, config)
    return path


def _read(archive: Path) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is not None:
                content[member.name] = file.read()
    return content


def _blob(content: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    return content["blobs/" + descriptor["digest"].replace(":", "/")]


def _image(content: dict[str, bytes]) -> tuple[dict[str, Any], bytes]:
    entry = json.loads(content["index.json"])["manifests"][0]
    manifest = json.loads(_blob(content, entry))
    return json.loads(_blob(content, manifest["config"])), _blob(content, manifest["layers"][0])


def test_every_blob_is_named_by_the_digest_of_its_content(archive: Path) -> None:
    blobs = {name: data for name, data in _read(archive).items() if name.startswith("blobs/")}

    assert len(blobs) == 3
    assert all(name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}" for name, data in blobs.items())


def test_containerd_finds_the_full_name_of_the_image(archive: Path) -> None:
    entry = json.loads(_read(archive)["index.json"])["manifests"][0]

    assert entry["annotations"]["io.containerd.image.name"] == "localhost/example:1"
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "1"


def test_the_configuration_names_command_user_and_layer(archive: Path) -> None:
    config, layer = _image(_read(archive))

    assert config["config"] == {"Entrypoint": ["/bin/program"], "User": "65535:65535"}
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]


def test_the_layer_holds_the_program_its_folder_and_nothing_of_the_machine(archive: Path) -> None:
    _, layer = _image(_read(archive))

    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        entries = [(entry.name, entry.mode, entry.uid, entry.mtime) for entry in tar.getmembers()]

    assert entries == [("bin", 0o755, 0, 0), ("bin/program", 0o755, 0, 0)]


def test_the_same_files_give_the_same_bytes(tmp_path: Path, program: Path, archive: Path) -> None:
    again = tmp_path / "again.tar"
    program.touch()
    config = {"Entrypoint": ["/bin/program"], "User": "65535:65535"}
    oci.write_image(again, "localhost/example:1", {"/bin/program": program}, config)

    assert again.read_bytes() == archive.read_bytes()
