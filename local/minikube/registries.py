"""Whether this machine reaches the registries from which minikube and Docker pull."""

import urllib.error
import urllib.request
from functools import cache

from local.progress import say

ADDRESSES = ("https://registry-1.docker.io/v2/", "https://gcr.io/v2/", "https://registry.k8s.io/v2/")
TIMEOUT_SECONDS = 4


@cache
def answer() -> bool:
    """Tell whether each of them answers as a registry does; found out once, and said in a line where one does not."""
    silent = [address for address in ADDRESSES if not _answers(address)]
    if silent:
        say(f"images: {silent[0]} does not answer, so what would be pulled is built of packages and Go modules")
    return not silent


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS):  # noqa: S310 - a fixed https address
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004 - "log in": a registry's first word
    except OSError:
        return False
