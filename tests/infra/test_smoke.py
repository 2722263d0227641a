"""The smoke test of a deployment: passes for the platform, and says what is wrong with anything else."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from infra import smoke

Answers = dict[str, tuple[int, Any]]

READY = "/health/ready?only=firestore&only=storage"

WORKING: Answers = {
    "/health": (200, {"status": "alive"}),
    READY: (200, {"ready": True}),
    "/api/projects": (401, {"error": {"code": "unauthenticated"}}),
    "/api/no-such-path": (404, {"error": {"code": "not_found"}}),
    "/openapi.json": (200, {"paths": {"/api/uploads/start": {}}}),
}


@pytest.fixture
def answers() -> Answers:
    """What the platform answers; a test changes it."""
    return dict(WORKING)


@pytest.fixture
def platform(answers: Answers) -> Iterator[str]:
    """A server that gives these answers; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, None))
            raw = json.dumps(body).encode() if body is not None else b"<html>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_working_platform_passes(platform: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(platform, patience=0) == 0
    assert capsys.readouterr().out == "5 of 5 checks passed\n"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (READY, (503, {"ready": False})),
        ("/api/projects", (200, {"items": []})),
        ("/api/projects", (403, None)),  # the platform's own refusal is 401: this is Cloud Run's, in front of it
        ("/api/no-such-path", (404, None)),
        ("/openapi.json", (200, {"paths": {}})),
    ],
)
def test_a_wrong_answer_fails_and_is_told(
    path: str, answer: tuple[int, Any], answers: Answers, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers[path] = answer
    assert smoke.main(platform, patience=0) == 1
    told = capsys.readouterr()
    assert told.out == "4 of 5 checks passed\n"
    assert told.err.startswith(f"{path}: expected ")
    assert f"got {answer[0]}" in told.err


def test_a_platform_that_is_not_there_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main("http://127.0.0.1:9", patience=0) == 1
    assert "got 0" in capsys.readouterr().err
