"""Whether this machine reaches the registries from which minikube and Docker pull, by itself and by no proxy."""

import urllib.error
import urllib.request
from functools import cache

from local.progress import say

ADDRESSES = ("https://registry-1.docker.io/v2/", "https://gcr.io/v2/", "https://registry.k8s.io/v2/")
TIMEOUT_SECONDS = 4
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@cache
def answer() -> bool:
    """Tell whether each of them answers as a registry does; found out once, and said in a line where one does not."""
    silent = [address for address in ADDRESSES if not _answers(address)]
    if silent:
        say(f"images: {silent[0]} does not answer, so what would be pulled is built of packages and Go modules")
    return not silent


def _answers(address: str) -> bool:
    try:
        with _DIRECTLY.open(address, timeout=TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004 - "log in": a registry's first word
    except OSError:
        return False
