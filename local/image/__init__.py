"""Builds the image of the MLflow server from images/mlflow/Dockerfile on machines that cannot pull a base image.

Owns the stand-in of the base image (`local.image.base`), what pip needs to reach its registry from inside a build
(`local.image.registry`) and the build (`local.image.build`). Leaves the Dockerfile to images/mlflow, the import into a
container runtime to the node.
"""

from local.image.build import Image, build, tag

PACKAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
"""What a build needs of Debian, in the form that `local.packages.require` takes."""

__all__ = ["PACKAGES", "Image", "build", "tag"]
