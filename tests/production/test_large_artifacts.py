"""Large artifacts pass through TLS, a login and Workload Identity with a client that nobody has told anything."""

from pathlib import Path

import pytest

from tests.large import goes_up_and_comes_down


@pytest.mark.parametrize("mib", [100, 500])
def test_a_large_artifact_goes_up_and_comes_down_whole(tmp_path: Path, mib: int) -> None:
    goes_up_and_comes_down(tmp_path, mib)
