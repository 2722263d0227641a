"""The command line, as people and scripts use it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clients.uploader import upload_folder
from clients.uploader.main import app
from tests.clients.faulty_server import Fault
from tests.clients.platform import Platform


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALTA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("ALTA_STATE_DIR", str(tmp_path / "state"))


def alta(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def signed_in(platform: Platform) -> None:
    assert alta("login", "--server", platform.url, "--user", "ada", stdin="correct horse\n").exit_code == 0


def upload(folder: Path, *options: str) -> Result:
    return alta("upload", folder, "--project", "Archive", "--create-project", *options)


@pytest.mark.usefixtures("signed_in")
def test_an_upload_ends_with_a_line_for_each_file_and_the_statistics(folder: Path) -> None:
    for name in ("letter.png", "table.csv", "talk.wav"):
        (folder / name).write_text(name)
    done = upload(folder)
    assert done.exit_code == 0, done.output
    assert [line.split("\t") for line in done.stdout.splitlines()[:3]] == [
        ["letter.png", "document", "processed", "2 pages", "97%", "The whole text of le"],
        ["table.csv", "file", "uploaded", "", "", ""],
        ["talk.wav", "voice", "processed", "1:04", "97%", "The whole text of ta"],
    ]
    assert "completed; 3 files" in done.stdout
    assert "3 uploaded, 0 there before, 0 unchanged" in done.stderr


@pytest.mark.usefixtures("signed_in")
def test_a_second_upload_says_that_nothing_is_new_and_shows_the_earlier_results(folder: Path) -> None:
    (folder / "letter.png").write_text("letter")
    first = upload(folder)
    second = upload(folder)
    assert second.exit_code == 0
    assert "Nothing new: 1 unchanged." in second.stderr
    assert second.stdout == first.stdout


@pytest.mark.usefixtures("signed_in")
def test_a_file_that_cannot_be_read_is_shown_with_its_error_and_fails_the_command(
    platform: Platform, folder: Path
) -> None:
    (folder / "bad.pdf").write_text("x")
    platform.failing["bad.pdf"] = {"code": "unreadable_content", "message": "This is no PDF."}
    done = upload(folder)
    assert done.exit_code == 1
    assert "bad.pdf\tdocument\tfailed\t2 pages\t\tunreadable_content: This is no PDF." in done.stdout


@pytest.mark.usefixtures("signed_in")
def test_a_file_that_could_not_be_sent_fails_the_command_and_says_how_to_go_on(folder: Path) -> None:
    (folder / "good.txt").write_text("x")
    (folder / "b\\ad.txt").write_text("x")
    done = upload(folder)
    assert done.exit_code == 1
    assert "b\\ad.txt: No backslashes. (path_malformed)" in done.stderr
    assert "run the same command again" in done.stderr


@pytest.mark.usefixtures("signed_in")
def test_a_refused_file_fails_the_command_also_without_waiting_and_the_next_time(folder: Path) -> None:
    (folder / "empty.png").touch()
    first = upload(folder, "--no-wait")
    assert (first.exit_code, "empty.png: The platform does not take" in first.stderr) == (1, True)
    assert "0 uploaded, 0 there before, 0 unchanged" in first.stderr
    second = upload(folder, "--no-wait")
    assert (second.exit_code, "empty.png: The platform did not take" in second.stderr) == (1, True)
    assert "Nothing new: 0 unchanged." in second.stderr
    assert "1 refused by the platform; change them" in second.stderr
    assert "run the same command again" not in second.stderr


@pytest.mark.usefixtures("signed_in")
def test_json_holds_everything_in_one_object(folder: Path) -> None:
    (folder / "Привет.png").write_text("x")
    told = json.loads(upload(folder, "--json", "--show-text").stdout)
    assert (told["uploaded"], told["failures"], told["status"]) == (1, [], "completed")
    assert told["stats"]["files_processed"] == 1
    assert told["files"][0]["path"] == "Привет.png"
    assert told["files"][0]["text"] == "The whole text of Привет.png."


@pytest.mark.usefixtures("signed_in")
def test_the_whole_text_is_printed_when_asked_for(folder: Path) -> None:
    (folder / "letter.png").write_text("x")
    assert "The whole text of letter.png.\n" in upload(folder, "--show-text").stdout


@pytest.mark.usefixtures("signed_in")
def test_names_cannot_write_to_the_terminal(folder: Path) -> None:
    (folder / "a[bold]\x1b[31m\nb.png").write_text("x")
    done = upload(folder)
    assert "a[bold]\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b.png\t" in done.stdout
    assert "\x1b" not in done.output


@pytest.mark.usefixtures("signed_in")
def test_the_status_of_the_latest_session_is_shown_without_naming_it(platform: Platform, folder: Path) -> None:
    platform.processing = False
    (folder / "letter.png").write_text("x")
    assert upload(folder, "--no-wait").exit_code == 0
    now = alta("status")
    assert (now.exit_code, "in_progress; 1 file," in now.stdout) == (0, True)
    platform.processing = True
    (session_id,) = platform.sessions
    watched = json.loads(alta("status", session_id, "--watch", "--json").stdout)
    assert (watched["status"], watched["files"][0]["state"]) == ("completed", "processed")


@pytest.mark.usefixtures("signed_in")
def test_a_cancelled_session_is_over_and_its_files_are_new_again(platform: Platform, folder: Path) -> None:
    platform.processing = False
    (folder / "letter.png").write_text("x")
    upload(folder, "--no-wait")
    (session_id,) = platform.sessions
    assert alta("cancel", session_id).exit_code == 0
    assert platform.sessions[session_id].status == "cancelled"
    platform.processing = True
    assert upload(folder).exit_code == 0
    assert len(platform.sessions) == 2


@pytest.mark.usefixtures("signed_in")
def test_errors_of_the_platform_are_shown_by_code_and_request(folder: Path) -> None:
    missing = alta("status", "ses_none")
    assert missing.exit_code == 2
    assert "There is no such thing. (not_found, request " in missing.stderr


@pytest.mark.usefixtures("signed_in")
def test_after_a_logout_nobody_is_signed_in(folder: Path) -> None:
    (folder / "letter.png").write_text("x")
    assert "Signed out" in alta("logout").stderr
    assert "Nobody was signed in" in alta("logout").stderr
    refused = upload(folder)
    assert (refused.exit_code, "alta login" in refused.stderr) == (2, True)


@pytest.mark.usefixtures("signed_in")
def test_an_unknown_project_is_a_problem_of_the_setup(folder: Path) -> None:
    (folder / "letter.png").write_text("x")
    refused = alta("upload", folder, "--project", "Archive")
    assert (refused.exit_code, "no project 'Archive'" in refused.stderr) == (2, True)


def test_the_password_may_come_from_the_environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALTA_PASSWORD", platform.password)
    assert alta("login", "--server", platform.url, "--user", "ada").exit_code == 0


def test_a_wrong_password_keeps_nothing(platform: Platform, tmp_path: Path) -> None:
    refused = alta("login", "--server", platform.url, "--user", "ada", stdin="wrong\n")
    assert (refused.exit_code, "invalid_credentials" in refused.stderr) == (2, True)
    assert not (tmp_path / "config").exists()


def test_a_state_folder_that_cannot_be_written_is_a_problem_of_the_setup(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    refused = upload(folder)
    assert (refused.exit_code, "can't be read or written" in refused.stderr) == (2, True)


def test_a_password_is_not_sent_in_clear_text_over_a_network() -> None:
    refused = alta("login", "--server", "http://alta.example.com", "--user", "ada", stdin="x\n")
    assert (refused.exit_code, "insecure_server" in refused.stderr) == (2, True)


@pytest.mark.parametrize("server", ["http://localhost:80000", "http://[::1:8000", "http://local\x01host"])
def test_what_is_no_address_is_said_to_be_none(server: str) -> None:
    refused = alta("login", "--server", server, "--user", "ada", stdin="x\n")
    assert (refused.exit_code, "is not an address such as" in refused.stderr) == (2, True)


def test_a_limit_of_sign_ins_is_told_in_the_platforms_words_with_how_long_to_wait(platform: Platform) -> None:
    envelope = {"error": {"code": "rate_limited", "message": "More than 20 requests.", "requestId": "req_1"}}
    told = Fault("POST", "/api/auth/login", 429, headers={"Retry-After": "540"}, body=json.dumps(envelope).encode())
    platform.faults.append(told)
    refused = alta("login", "--server", platform.url, "--user", "ada", stdin="correct horse\n")
    assert refused.exit_code == 2
    assert "More than 20 requests. Try again in 540 s. (rate_limited, request req_1)" in refused.stderr


def test_no_proxy_sees_what_is_sent_to_this_machine(
    platform: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (folder / "letter.png").write_text("letter")
    assert alta("login", "--server", platform.url, "--user", "ada", stdin="correct horse\n").exit_code == 0
    assert upload(folder).exit_code == 0
    assert platform.content("letter.png") == b"letter"


def test_a_proxy_that_cannot_be_used_is_a_problem_of_the_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "gopher://127.0.0.1:9")
    refused = alta("login", "--server", "https://alta.example.com", "--user", "ada", stdin="x\n")
    assert (refused.exit_code, "(unusable_proxy)" in refused.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [["upload"], ["upload", "/nowhere", "--project", "x"], ["fly"], ["login"]])
def test_wrong_usage_has_an_exit_code_of_its_own(arguments: list[str]) -> None:
    assert alta(*arguments).exit_code == 2


def test_the_library_does_the_whole_in_one_call(platform: Platform, folder: Path) -> None:
    (folder / "letter.png").write_text("x")
    result = upload_folder(
        folder, "Archive", server=platform.url, user="ada", password=platform.password, create_project=True
    )
    assert result.status is not None
    assert result.status["stats"]["files_processed"] == 1
