"""A person at a browser."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from local.packages import require
from tests.e2e.conftest import Stack

WAIT_SECONDS = 60
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Debian's Chromium with an empty profile."""
    require({"/usr/bin/chromium": "chromium", "/usr/bin/chromedriver": "chromium-driver"})
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def test_a_browser_shows_the_runs_and_creates_an_experiment(
    stack: Stack, browser: webdriver.Chrome, artifacts: Path
) -> None:
    mlflow.set_tracking_uri(stack.tracking_uri)
    mlflow.set_experiment("seen in a browser")
    with mlflow.start_run(run_name="a run to look at") as run:
        mlflow.log_metric("accuracy", 0.97)
    wait = WebDriverWait(browser, WAIT_SECONDS)

    browser.get(f"{stack.tracking_uri}/#/experiments")
    wait.until(expected.element_to_be_clickable((By.LINK_TEXT, "seen in a browser"))).click()
    wait.until(expected.url_contains(f"/experiments/{run.info.experiment_id}"))
    browser.get(f"{stack.tracking_uri}/#/experiments/{run.info.experiment_id}/runs?workflowType=machine_learning")
    wait.until(expected.visibility_of_element_located((By.LINK_TEXT, "a run to look at")))
    browser.save_screenshot(str(artifacts / "experiment.png"))

    browser.get(f"{stack.tracking_uri}/#/experiments")
    wait.until(expected.element_to_be_clickable((By.CSS_SELECTOR, "[data-testid='create-experiment-button']"))).click()
    name = wait.until(expected.visibility_of_element_located((By.ID, "experimentName")))
    name.send_keys("made in a browser")
    browser.find_element(By.XPATH, "//*[@role='dialog']//button[normalize-space()='Create']").click()
    wait.until(lambda _: mlflow.get_experiment_by_name("made in a browser") is not None)
