"""People sign in, upload, look at what was read, and review it, in a real browser against the local cloud."""

from pathlib import Path

import httpx
from selenium.webdriver import Keys
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.select import Select

from shared.models.identity import Company, Role
from tests.clients.web.conftest import Opened
from tests.clients.web.console import Console
from tests.conftest import Cloud
from tests.e2e.journey import described, send, start, take
from tests.material import SAMPLES, picture
from tests.people import PASSWORD, Person, join


async def test_a_folder_goes_up_and_what_was_read_and_heard_is_shown(console: Console, person: Person) -> None:
    # Given somebody who first mistypes the password
    console.open()
    console.enter(person.user.email, "wrong password")
    console.until(lambda: "password" in console.one("[role=alert]").text)
    console.one("[name=password]").clear()
    console.one("[name=password]").send_keys(f"{PASSWORD}\n")

    # When they upload the samples into a new cycle
    console.choose(SAMPLES)
    console.reads("5 files, 1.6 MB, to Archive")
    console.press("New cycle")
    console.one("[name=answer]").send_keys(f"Spring{Keys.ENTER}")
    console.until(lambda: Select(console.one("[aria-label=Cycle]")).first_selected_option.text == "Spring")
    console.press("Upload 5 files")

    # Then all is sent and read, and can be looked at beside the page
    console.reads("Done: upload completed", "5 of 5 files", "5 processed", "0 failed")
    console.press("See results")
    console.reads("letter.png", "survey-report.pdf", "processed")
    console.press("letter.png")
    console.until(lambda: "Harbour Office of Wexley" in console.one("dialog pre").text)
    shown = "return document.querySelector('dialog img').naturalWidth"
    console.until(lambda: console.driver.execute_script(shown) > 100)
    console.press("Close")
    Select(console.one("[aria-label=Kind]")).select_by_visible_text("Recordings")
    console.reads("austen-reading.flac", "two-readings.ogg")
    console.press("austen-reading.flac")
    console.until(lambda: "Dashwood" in console.one("dialog pre").text)
    playable = "return document.querySelector('dialog audio').duration"
    console.until(lambda: 25 < (console.driver.execute_script(playable) or 0) < 30)

    cycles = (await person.http.get("/api/cycles", params={"project_id": await _project(person)})).json()["items"]
    sessions = (await person.http.get("/api/sessions", params={"cycle_id": cycles[0]["id"]})).json()["items"]
    assert [(one["name"], one["status"]) for one in sessions] == [("upload", "completed")]


async def test_what_can_not_be_sent_is_told_before_anything_is(
    console: Console, person: Person, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "письмо.txt").write_text("good")
    (folder / "empty.png").touch()
    (folder / "drawing.svg").write_text("<svg/>")
    (folder / ".hidden").write_text("x")
    console.sign_in(person)

    console.choose(folder)

    console.reads("1 file, 4 B, to Archive, 1 hidden file left out", "2 files can't be sent")
    console.reads("empty.png The file is empty.", "drawing.svg image/svg+xml can't be recognised.")
    console.press("Upload 1 file")
    console.reads("Done: mixed completed", "1 processed")


async def test_a_folder_is_dropped(console: Console, person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "dropped"
    (folder / "deep").mkdir(parents=True)
    for number in range(120):  # a browser names a hundred at a time
        (folder / "deep" / f"{number}.txt").write_text("good")
    console.sign_in(person)

    console.drop(folder)

    console.reads("dropped", "120 files, 480 B, to Archive")
    console.press("Upload 120 files")
    console.reads("Done: dropped completed", "120 processed")


async def test_what_fails_on_the_platform_is_named_with_the_reason(
    console: Console, person: Person, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "no-picture.png").write_bytes(b"This is no picture, whatever its name says.\n")
    console.sign_in(person)

    console.upload(folder)

    console.reads("Done: broken", "1 failed", "no-picture.png The file says image/png, but its content type is")


async def test_a_cancelled_upload_ends_on_the_platform_too(console: Console, person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "large.bin").write_bytes(bytes(30 << 20))
    console.sign_in(person)
    console.slow(2_000_000)
    console.upload(folder)
    console.reads("Sending: large", "MB/s")

    console.press("Cancel")

    console.reads("Done: large", "Cancelled.")
    [session] = (await person.http.get("/api/sessions", params={"project_id": await _project(person)})).json()["items"]
    assert session["status"] == "cancelled"
    console.press("Upload more")
    console.reads("Drop a folder or files here")


async def test_one_person_submits_and_another_decides(
    opened: Opened, cloud: Cloud, company: Company, person: Person
) -> None:
    # Given a document that was read
    status = await take(person.http, {"ferry.png": picture("png"), "other.png": picture("png", "Another page.")})
    assert status["status"] == "completed"
    mine = opened()
    mine.sign_in(person)
    mine.show("results")

    # When its uploader submits it, they can't decide on it themselves
    mine.reads("ferry.png", "other.png")
    mine.one("[aria-label='Choose ferry.png']").click()
    mine.press("Submit for review")
    mine.reads("submitted")
    mine.press("ferry.png")
    mine.until(lambda: "Another person decides" in mine.one("dialog footer").text)

    # Then another person finds it in the queue, and rejects it with a reason
    reviewer = await join(cloud, company, Role.USER)
    theirs = opened()
    theirs.sign_in(reviewer)
    theirs.show("review")
    theirs.reads("ferry.png")
    assert "other.png" not in theirs.text
    theirs.press("Look")
    reason = theirs.until(lambda: theirs.one("[aria-label=Reason]"))
    theirs.press("Reject")
    theirs.until(lambda: "Choose a reason" in theirs.one("dialog [role=alert]").text)
    Select(reason).select_by_value("wrong_text")
    theirs.one("[aria-label=Comment]").send_keys("The map is missing.")
    theirs.press("Reject")
    theirs.reads("Nothing waits for a review.")
    documents = (await person.http.get("/api/documents", params={"project_id": await _project(person)})).json()["items"]
    [review] = [one["review"] for one in documents if one["name"] == "ferry.png"]
    assert (review["state"], review["reason"], review["comment"]) == ("rejected", "wrong_text", "The map is missing.")
    await reviewer.http.aclose()

    # And when a sign-in ends, no dialog stays before the form
    mine.driver.execute_script("window.fetch = async () => new Response('{}', { status: 401 })")
    mine.press("Open the file")
    mine.until(lambda: mine.one("[name=account]").is_displayed())
    assert not mine.all("dialog")


async def test_a_list_keeps_its_rows_marks_and_focus_while_it_is_brought_up_to_date(
    console: Console, person: Person
) -> None:
    # Given a list of which somebody looks at the second page, with a row chosen
    content = picture("png")
    session = await person.http.post("/api/sessions", json={"project_id": await _project(person), "name": "Folder"})
    files = [described(f"{number:02}.png", content) for number in range(60)]
    job = await start(person.http, session.raise_for_status().json()["id"], files)
    console.sign_in(person)
    console.show("results")
    console.press("More")
    console.until(lambda: len(console.all("tbody tr")) == 60)
    box = console.all("tbody input")[-1]
    box.send_keys(Keys.SPACE)

    # When a file is read meanwhile
    [sent] = [file for file in job["files"] if file["path"] == "30.png"]
    (await send(sent["upload"], content)).raise_for_status()

    console.until(lambda: "processed" in [one.text for one in console.all("tbody .badge")])
    assert len(console.all("tbody tr")) == 60
    assert box.is_selected()
    assert console.driver.switch_to.active_element == box


async def test_a_platform_that_refuses_or_is_away_is_said(console: Console, person: Person) -> None:
    # Given a platform that takes no more guesses for a while
    console.open()
    console.driver.execute_script(REFUSING)
    console.enter(person.user.email, PASSWORD)
    console.until(lambda: "Try again in 9 min." in console.one("[role=alert]").text)

    # When it can't be reached, it is said that something is tried, once
    console.block("*/api/*")
    console.open()
    console.enter(person.user.email, PASSWORD)
    console.until(lambda: "the platform does not answer" in console.one("#notices").text)
    console.reads("Connecting …")
    assert not console.one("[name=password]").is_enabled()
    console.block()
    console.reads("Drop a folder or files here")

    # And a page that is loaded then gives up soon, until it is told to try again
    console.block("*/api/*")
    console.open()
    console.reads("Connecting …")
    console.until(lambda: "No answer for a while" in console.one("[role=alert]").text)
    console.block()
    console.press("Try again")
    console.reads("Drop a folder or files here")


REFUSING = """
  const said = { error: { code: "rate_limited", message: "More than 20 requests of this kind in 600 s." } };
  window.fetch = async () => new Response(JSON.stringify(said), { status: 429, headers: { "Retry-After": "540" } });
"""
"""Lets the platform refuse whatever is asked, for nine minutes."""


async def test_a_project_is_shown_in_figures(console: Console, cloud: Cloud, person: Person) -> None:
    await take(person.http, {"ferry.png": picture("png")})
    project = {"project_id": await _project(person)}
    console.sign_in(person)
    console.show("figures")

    def counted() -> bool:
        # The platform counts what is 15 seconds old, when its queue says so or we do.
        httpx.post(f"{cloud.ports.url('internal')}/rollups", json=project, trust_env=False).raise_for_status()
        console.press("Refresh")
        return "most in a day: 1 file" in console.text

    console.until(counted)

    console.reads("counted until", "Somebody: 1 file")
    chart = console.one("svg[aria-label^='Files recognised']")
    assert chart.get_attribute("aria-label") == "Files recognised, day by day: 1 file in all"
    assert len([bar for bar in console.all("rect.documents") if float(bar.get_attribute("height") or 0) > 0]) == 1


async def test_a_passkey_is_kept_and_opens_the_console(console: Console, person: Person) -> None:
    options = VirtualAuthenticatorOptions(
        protocol="ctap2", transport="internal", has_resident_key=True, has_user_verification=True, is_user_verified=True
    )
    console.driver.add_virtual_authenticator(options)
    console.sign_in(person)
    console.press("Add passkey")
    console.until(lambda: "passkey is kept" in console.one("#notices").text)
    console.press("Sign out")

    console.press("Use a passkey")

    console.reads("Drop a folder or files here")


async def test_a_sign_in_is_renewed_until_the_platform_ends_it(console: Console, person: Person) -> None:
    # Given a sign-in whose access token has ended, and a reload
    console.sign_in(person)
    aged = """
        const kept = JSON.parse(sessionStorage.getItem("alta-sign-in"));
        sessionStorage.setItem("alta-sign-in", JSON.stringify({ ...kept, access_token: "old", endsAt: 0 }));
    """
    console.driver.execute_script(aged)
    console.open()
    console.reads("Drop a folder or files here")

    # When the person signs out everywhere
    (await person.http.post("/api/auth/logout")).raise_for_status()
    console.driver.execute_script(aged)
    console.open()

    # Then the page asks who they are
    console.until(lambda: console.one("[name=account]").is_displayed())


async def _project(person: Person) -> str:
    """The id of the newest project."""
    items = (await person.http.get("/api/projects")).raise_for_status().json()["items"]
    return str(items[0]["id"])
