"""Artifacts in Cloud Storage, through the server in small pieces: neither its memory nor its disk holds a whole one.

Replaces MLflow's own repository for gs:// URLs, which tells clients that they may upload in parts, by URLs that the
server signs. With Workload Identity it has no key to sign with, and each try leaves an open upload behind.
"""

import asyncio
import mimetypes
import posixpath
from collections.abc import AsyncIterable
from pathlib import Path
from typing import BinaryIO

from google.cloud.storage import Blob
from google.cloud.storage.fileio import BlobWriter
from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repo import ArtifactRepository, StreamUploadMixin
from mlflow.store.artifact.gcs_artifact_repo import GCSArtifactRepository

from mlflow_on_kubernetes.downloads import ASKED
from mlflow_on_kubernetes.pieces import CHUNK


class CloudStorage(ArtifactRepository, StreamUploadMixin):
    """A folder of a bucket. What is small, or no transfer, is left to MLflow's own repository."""

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._plain = GCSArtifactRepository(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)
        bucket, self._root = self._plain.parse_gcs_uri(artifact_uri)
        self._bucket = self._plain.client.bucket(bucket)

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Store a file of the server's own."""
        self._plain.log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Store a folder of the server's own."""
        self._plain.log_artifacts(local_dir, artifact_path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return what is in a folder."""
        return self._plain.list_artifacts(path)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Remove a file, or a folder with everything in it."""
        self._plain.delete_artifacts(artifact_path)

    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """Store what is read from `stream`."""
        upload = _Upload(self._blob(artifact_file_name, artifact_path))
        try:
            while piece := stream.read(CHUNK):
                upload.write(piece)
            upload.close()
        except BaseException:
            upload.terminate()
            raise

    async def log_artifact_from_async_stream(
        self, chunks: AsyncIterable[bytes], artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """Store what a request brings, as it comes."""
        upload, piece = _Upload(self._blob(artifact_file_name, artifact_path)), bytearray()
        try:
            async for chunk in chunks:
                piece += chunk
                if len(piece) >= CHUNK:
                    await asyncio.to_thread(upload.write, bytes(piece))
                    piece.clear()
            upload.write(piece)  # stays in its buffer
            await asyncio.to_thread(upload.close)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(upload.terminate))
            raise

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """Fetch a file or a folder; where `downloads` sends the file itself, only tell it which one."""
        asked = ASKED.get()
        if asked is None or dst_path is None:
            return super().download_artifacts(artifact_path, dst_path)
        blob = self._bucket.get_blob(posixpath.join(self._root, artifact_path))
        if blob is None:
            raise MlflowException(f"No such artifact: {artifact_path}", RESOURCE_DOES_NOT_EXIST)
        asked.append(blob)
        placeholder = Path(dst_path, posixpath.basename(artifact_path))
        placeholder.touch()
        return str(placeholder)

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._plain._download_file(remote_file_path, local_path)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the same method, one repository further

    def _blob(self, name: str, folder: str | None) -> Blob:
        return self._bucket.blob(posixpath.join(self._root, folder or "", posixpath.basename(name)))


class _Upload(BlobWriter):
    """A resumable upload; only with its last piece does the object come into being."""

    def __init__(self, blob: Blob) -> None:
        # Its type is what MLflow's own repository would say of it.
        super().__init__(blob, chunk_size=CHUNK, content_type=mimetypes.guess_type(str(blob.name))[0])

    def terminate(self) -> None:
        """Have Cloud Storage forget what it got; the library's own method names the wrong address."""
        if self._upload_and_transport:
            upload, transport = self._upload_and_transport
            if upload.resumable_url and not upload.finished:
                transport.delete(upload.resumable_url)
        self._buffer.close()
