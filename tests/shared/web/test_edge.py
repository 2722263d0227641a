"""What the edge makes of requests that no client of good will sends."""

import pytest

from tests import loopback
from tests.conftest import Cloud


@pytest.mark.parametrize("path", ["/api/projects/a%0Ab", "/api/projects/%0A/members", "/api/auth/%0A", "/health/a%0A"])
async def test_a_path_with_a_line_feed_gets_an_answer_of_ours(cloud: Cloud, path: str) -> None:
    async with loopback.client(cloud.url) as http:
        answer = await http.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]
    assert answer.status_code in (401, 404)
