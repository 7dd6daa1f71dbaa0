"""Which image a container runs is the same tomorrow."""

import re
from collections.abc import Iterator

from policy.pods import WORKLOADS, containers
from policy.resource import UNKNOWN, Resource, at, said
from policy.rule import rule

_MOVES = re.compile(r"latest.*|\D*", re.IGNORECASE)
"""How tags are named that are put on another image some day: main, stable-alpine; one that stays has a number."""


def tag(image: str) -> str | None:
    """Return the tag of an image, None where it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2] or None


def has_digest(image: str) -> bool:
    """Tell whether an image is named by its content."""
    digest = image.partition("@sha256:")[2]
    return len(digest) == 64 and set(digest) <= set("0123456789abcdef")  # noqa: PLR2004 - SHA-256 in hexadecimal


@rule(*WORKLOADS)
def images_have_a_fixed_tag(workload: Resource) -> Iterator[str]:
    """kube-score container image tag: an image is named by digest or by a tag that stays."""
    for name, container in containers(workload):
        image = at(container, "image")
        if image is UNKNOWN or has_digest(str(image)):
            continue
        found = tag(str(image))
        if found is None or _MOVES.fullmatch(found):
            what = "no tag" if found is None else f"the tag {found}, which moves"
            yield f"{name} has the image {said(image)} with {what}: name a version, or a digest"


POLICIES = (images_have_a_fixed_tag,)
