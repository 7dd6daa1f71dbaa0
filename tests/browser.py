"""A person at a browser: Debian's Chromium, without a window."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mlflow
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from local.packages import require
from tests.scratch import PROJECT

ARTIFACTS = PROJECT / "artifacts"
"""The folder for what tests show to people, such as a screenshot."""
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


@contextmanager
def chromium(profile: Path, flags: Sequence[str] = ()) -> Generator[webdriver.Chrome]:
    """Yield a browser with an empty profile; an error tells what its console said, and where a picture of it is."""
    require({"/usr/bin/chromium": "chromium", "/usr/bin/chromedriver": "chromium-driver"})
    ARTIFACTS.mkdir(exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    except Exception as error:
        picture = ARTIFACTS / "failed.png"
        driver.save_screenshot(str(picture))
        error.add_note(f"{driver.current_url}, see {picture}")
        for entry in driver.get_log("browser"):
            error.add_note(f"{entry['level']}: {entry['message']}")
        raise
    finally:
        driver.quit()


def look_at_a_run(browser: webdriver.Chrome, url: str, picture: str) -> None:
    """Track a run, find it in the pages of the server at `url`, and keep a picture of it, a file of that name."""
    mlflow.set_experiment("seen in a browser")
    with mlflow.start_run(run_name="a run to look at") as run:
        mlflow.log_metric("accuracy", 0.97)
    wait = WebDriverWait(browser, WAIT_SECONDS)

    browser.get(f"{url}/#/experiments")
    wait.until(expected.element_to_be_clickable((By.LINK_TEXT, "seen in a browser"))).click()
    wait.until(expected.url_contains(f"/experiments/{run.info.experiment_id}"))
    browser.get(f"{url}/#/experiments/{run.info.experiment_id}/runs?workflowType=machine_learning")
    wait.until(expected.visibility_of_element_located((By.LINK_TEXT, "a run to look at")))
    browser.save_screenshot(str(ARTIFACTS / picture))


def create_experiment(browser: webdriver.Chrome, url: str, name: str) -> None:
    """Create an experiment in the pages of the server at `url`, and wait until the server has it."""
    wait = WebDriverWait(browser, WAIT_SECONDS)

    browser.get(f"{url}/#/experiments")
    wait.until(expected.element_to_be_clickable((By.CSS_SELECTOR, "[data-testid='create-experiment-button']"))).click()
    field = wait.until(expected.visibility_of_element_located((By.ID, "experimentName")))
    field.send_keys(name)
    browser.find_element(By.XPATH, "//*[@role='dialog']//button[normalize-space()='Create']").click()
    wait.until(lambda _: mlflow.get_experiment_by_name(name) is not None)
