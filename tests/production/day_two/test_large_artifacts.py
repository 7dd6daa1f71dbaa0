"""The largest artifact of the tests; it takes minutes."""

from pathlib import Path

from tests.large import goes_up_and_comes_down


def test_an_artifact_of_5_gib_goes_up_and_comes_down_whole(tmp_path: Path) -> None:
    goes_up_and_comes_down(tmp_path, 5 * 1024)
