"""The local cloud serves the platform's functions."""

import httpx

from tests.conftest import Cloud


def test_a_path_that_no_function_has_is_answered_with_the_platforms_404(cloud: Cloud) -> None:
    answer = httpx.get(f"{cloud.url}/nothing", headers={"X-Request-ID": "a-test"})

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["requestId"] == answer.headers["X-Request-ID"] == "a-test"


def test_a_functions_path_reaches_it_with_and_without_a_closing_slash(cloud: Cloud) -> None:
    assert [httpx.get(f"{cloud.url}/api/sessions{end}").status_code for end in ("", "/")] == [401, 401]
