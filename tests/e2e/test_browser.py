"""A person at a browser."""

from pathlib import Path

from tests.browser import chromium, create_experiment, look_at_a_run
from tests.e2e.conftest import Stack


def test_a_browser_shows_the_runs_and_creates_an_experiment(stack: Stack, tmp_path: Path) -> None:
    with chromium(tmp_path) as browser:
        look_at_a_run(browser, stack.tracking_uri, "experiment.png")
        create_experiment(browser, stack.tracking_uri, "made in a browser")
