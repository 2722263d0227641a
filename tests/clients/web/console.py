"""The console as a person uses it, in a real browser; waits are for what a person would see."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.people import PASSWORD, Person

PATIENCE = 180.0
"""Seconds until what should be seen counts as missing."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sent:
    """A request of the page to the storage: method, address, Content-Range (empty: none)."""

    method: str
    url: str
    content_range: str


class Console:
    """A browser with the console in it."""

    def __init__(self, driver: Chrome, url: str, storage: str) -> None:
        """`url` is the platform's, `storage` the address of the storage."""
        self.driver = driver
        self._url = url
        self._storage = storage

    def open(self, view: str = "") -> None:
        """Loads the page anew, as after a restart of the browser tab."""
        self.driver.get("about:blank")
        self.driver.get(f"{self._url}/console/#{view}")

    def sign_in(self, person: Person) -> None:
        """Opens the page and signs in; returns when the frame is there."""
        self.open()
        self.enter(person.user.email, PASSWORD)
        self.until(lambda: self.one("#bar").is_displayed())

    def new_tab(self, person: Person) -> None:
        """Signs in in a second tab of the same browser, which stays in front."""
        self.driver.switch_to.new_window("tab")
        self.sign_in(person)

    def enter(self, account: str, password: str) -> None:
        """Fills in the form and sends it by the keyboard."""
        self.until(lambda: self.one("[name=account]")).send_keys(account)
        self.one("[name=password]").send_keys(f"{password}\n")

    def show(self, view: str) -> None:
        """Goes to a view by its link."""
        self.one(f"nav a[href='#{view}']").click()

    def choose(self, *paths: Path) -> None:
        """Chooses a folder, or files, in the first place that takes them."""
        kind = "[webkitdirectory]" if paths[0].is_dir() else ":not([webkitdirectory])"
        self.until(lambda: self.one(f"input[type=file]{kind}")).send_keys("\n".join(map(str, paths)))

    def upload(self, folder: Path) -> None:
        """Chooses a folder and begins to upload it."""
        self.choose(folder)
        self.press("Upload ")

    def drop(self, folder: Path) -> None:
        """Drops a folder from outside into the page."""
        place = self.until(lambda: self.one(".drop")).rect
        where = {"x": place["x"] + place["width"] / 2, "y": place["y"] + 20}
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": step, "data": data, **where})

    # --- what is seen

    @property
    def text(self) -> str:
        """What the view says."""
        return self.one("#page").text

    def one(self, selector: str) -> WebElement:
        """The first element of a selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> Sequence[WebElement]:
        """Every element of a selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def reads(self, *texts: str) -> None:
        """Returns when the view says all of this."""
        self.until(lambda: all(text in self.text for text in texts))

    def press(self, label: str) -> None:
        """Presses the button whose label begins like this, when it is there."""

        def found() -> WebElement | None:
            buttons = [one for one in self.all("button") if one.text.startswith(label) and one.is_displayed()]
            return next((one for one in buttons if one.is_enabled()), None)

        self.until(found).click()

    def until(self, condition: Callable[[], T | None]) -> T:
        """What the condition gives when it first gives something true."""
        wait = WebDriverWait(
            self.driver, PATIENCE, 0.1, ignored_exceptions=[NoSuchElementException, StaleElementReferenceException]
        )
        try:
            found = wait.until(lambda _: condition())
        except TimeoutException:
            print(self.one("body").text)
            raise
        assert found is not None
        return found

    # --- what happens below

    def sent(self) -> list[Sent]:
        """The requests to the storage since the last question, preflights left out."""
        found = []
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]  # selenium types it not
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            asked = message["params"]["request"]
            if asked["url"].startswith(self._storage) and asked["method"] in ("PUT", "POST"):
                found.append(Sent(asked["method"], asked["url"], asked["headers"].get("Content-Range", "")))
        return found

    def slow(self, bytes_per_second: int) -> None:
        """Lets uploads be this slow; -1: as fast as can be."""
        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def block(self, *patterns: str) -> None:
        """Lets no request to these addresses through, and all others."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": patterns})

    def complaints(self) -> list[str]:
        """What the browser complained about: blocked by the policy, or thrown by a script."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # selenium types it not
        return [one for one in said if "Content Security Policy" in one or "Uncaught" in one or "unsafe header" in one]
