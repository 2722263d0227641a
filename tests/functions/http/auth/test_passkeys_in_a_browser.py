"""Passkeys in Chromium, with its virtual authenticator: the whole way, from our page through our routes.

The page is one of our own, opened by the name `localhost`, since an address cannot be what a passkey is for.
"""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.virtual_authenticator import Protocol, Transport, VirtualAuthenticatorOptions

from tests.browser import chromium
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.people import Person

SCRIPT = Path(__file__).with_name("passkeys.js").read_text()


@dataclass(frozen=True)
class Page:
    """Our page in the browser, which has an authenticator that knows its user."""

    browser: Chrome

    async def does(self, call: str, *arguments: object) -> Any:
        """What `call`, a function of the script, gives for these arguments; the name of the error it ends with."""
        script = f"{SCRIPT}\nreturn {call}(...arguments).catch((error) => error.name)"
        return await asyncio.to_thread(self.browser.execute_script, script, *arguments)

    def counts(self) -> list[int]:
        """How often each passkey was used, as the authenticator counts; they are all for `localhost`."""
        credentials = self.browser.get_credentials()
        assert {one.rp_id for one in credentials} == {"localhost"}
        return sorted(one.sign_count for one in credentials)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser; skips the tests where there is none."""
    opened = chromium(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.quit()


@pytest.fixture
def page(cloud: Cloud, browser: Chrome) -> Iterator[Page]:
    """Our page, and an authenticator with nothing in it."""
    options = VirtualAuthenticatorOptions(
        protocol=Protocol.CTAP2,
        transport=Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_verified=True,
    )
    browser.get(f"http://localhost:{urlsplit(cloud.url).port}/api/auth/verify-email")
    browser.add_virtual_authenticator(options)
    yield Page(browser)
    browser.remove_virtual_authenticator()


def _token(person: Person) -> str:
    return person.http.headers["Authorization"].removeprefix("Bearer ")


async def _registered(page: Page, person: Person, name: str = "Laptop") -> dict[str, Any]:
    made = await page.does("register", _token(person), name)
    assert made["status"] == 201, made
    passkey: dict[str, Any] = made["body"]
    return passkey


async def test_a_passkey_is_registered_signs_in_without_a_name_is_renamed_and_removed(page: Page, staff: Staff) -> None:
    made = await _registered(page, staff.user)
    assert made["name"] == "Laptop"
    before = page.counts()
    for _ in range(2):
        signed_in = await page.does("signIn")
        assert signed_in["status"] == 200, signed_in
        me = await page.does("call", "GET", "me", signed_in["body"]["access_token"])
        assert me["body"]["id"] == staff.user.user.id
    assert page.counts() == [before[0] + 2]  # what the authenticator counts goes on, and we follow

    token = signed_in["body"]["access_token"]
    renamed = await page.does("call", "PATCH", f"passkeys/{made['id']}", token, {"name": "Old laptop"})
    assert (renamed["status"], renamed["body"]["name"]) == (200, "Old laptop")
    listed = await page.does("call", "GET", "passkeys", token)
    assert [(one["id"], one["name"]) for one in listed["body"]["items"]] == [(made["id"], "Old laptop")]
    assert listed["body"]["items"][0]["last_used_at"] is not None
    assert (await page.does("call", "DELETE", f"passkeys/{made['id']}", token))["status"] == 204
    refused = await page.does("signIn")
    assert (refused["status"], refused["body"]["error"]["code"]) == (401, "invalid_credentials")


async def test_a_browser_makes_no_second_passkey_on_the_same_device(page: Page, staff: Staff) -> None:
    await _registered(page, staff.user)
    assert await page.does("register", _token(staff.user), "Again") == "InvalidStateError"


async def test_each_of_two_people_on_one_device_comes_in_as_themselves(page: Page, staff: Staff) -> None:
    for person in (staff.user, staff.admin):
        await _registered(page, person)
    keys = page.browser.get_credentials()
    owners = {base64.urlsafe_b64decode(f"{key.user_handle}==").decode(): key for key in keys}
    assert owners.keys() == {staff.user.user.id, staff.admin.user.id}
    for user_id, key in owners.items():
        page.browser.remove_all_credentials()
        page.browser.add_credential(key)
        signed_in = await page.does("signIn")
        me = await page.does("call", "GET", "me", signed_in["body"]["access_token"])
        assert me["body"]["id"] == user_id


async def test_a_user_whom_the_device_does_not_verify_gets_no_passkey_and_does_not_come_in(
    page: Page, staff: Staff
) -> None:
    await _registered(page, staff.user)
    page.browser.set_user_verified(False)
    assert await page.does("signIn") == "NotAllowedError"
    assert await page.does("register", _token(staff.admin), "Not I") == "NotAllowedError"
    page.browser.set_user_verified(True)
    assert (await page.does("signIn"))["status"] == 200


async def test_a_proof_is_good_once_and_a_copy_of_the_device_is_found_out(page: Page, staff: Staff) -> None:
    await _registered(page, staff.user)
    (copied,) = page.browser.get_credentials()
    proof = {"credential": await page.does("prove")}
    answers = [await page.does("call", "POST", "passkeys/login/verify", None, proof) for _ in range(2)]
    assert [one["status"] for one in answers] == [200, 400]
    assert answers[1]["body"]["error"]["code"] == "token_refused"
    page.browser.remove_all_credentials()
    page.browser.add_credential(copied)  # as it was before: its counter has not moved
    refused = await page.does("signIn")
    assert (refused["status"], refused["body"]["error"]["code"]) == (401, "invalid_credentials")
