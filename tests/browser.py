"""A real browser: headless Chromium with a profile of its own, which reaches nothing but this machine."""

import shutil
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MISSING = "Chromium or its driver is not installed; the README says how to get them"
LIMIT = 30
"""Seconds for a page or a script."""

_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def chromium(profile: Path, *switches: str, **capabilities: object) -> Chrome:
    """A browser whose profile is this folder; whoever opened it quits it. Skips the test where there is none."""
    if BROWSER is None or DRIVER is None:
        pytest.skip(MISSING)
    options = ChromeOptions()
    options.binary_location = BROWSER
    for switch in (*_SWITCHES, f"--user-data-dir={profile}", *switches):
        options.add_argument(switch)
    for name, value in capabilities.items():
        options.set_capability(name, value)
    opened = Chrome(options=options, service=ChromeService(executable_path=DRIVER))
    opened.set_page_load_timeout(LIMIT)
    opened.set_script_timeout(LIMIT)
    return opened
