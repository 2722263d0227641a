"""Asks a deployed platform whether it works: `python3 infra/smoke.py https://alta.example.com`.

Needs nothing but Python, so that it runs where nothing is installed. Exits with 1 and says which answer was wrong.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 300.0
"""Seconds within which a fresh deployment answers: a new certificate and the first instances take their time."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers in lower case, and the body as JSON (None for anything else)."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Check:
    """A question to the platform, and what its answer must be."""

    path: str
    expected: str
    holds: Callable[[Answer], bool]


CHECKS = (
    Check("/health", "200: it lives", lambda answer: answer.status == 200),
    Check(
        "/health/ready?only=firestore&only=storage",
        "200: it reaches its database and its bucket",
        lambda answer: answer.status == 200,
    ),
    Check(
        "/api/projects",
        "401 in the platform's own shape: the function is reached, and lets nobody in without a token",
        lambda answer: answer.status == 401 and answer.body["error"]["code"] == "unauthenticated",
    ),
    Check(
        "/api/no-such-path",
        "404 in the platform's own shape",
        lambda answer: answer.status == 404 and "error" in (answer.body or {}),
    ),
    Check(
        "/openapi.json",
        "the joined API, with the main path in it",
        lambda answer: answer.status == 200 and "/api/uploads/start" in answer.body["paths"],
    ),
)


def ask(address: str) -> Answer:
    """The answer of one address; status 0 when there was none."""
    try:
        with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310 - the address is the operator's own
            return _answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, dict(error.headers), error.read())
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return Answer(0, {}, str(error))


def passes(base: str, check: Check, patience: float = PATIENCE) -> bool:
    """Whether the check holds within the patience; says what was answered last if not."""
    limit = time.monotonic() + patience
    while True:
        answer = ask(base + check.path)
        try:
            if check.holds(answer):
                return True
        except (KeyError, TypeError):
            pass  # an answer of another shape does not hold either
        if time.monotonic() >= limit:
            sys.stderr.write(f"{check.path}: expected {check.expected}; got {answer.status} {str(answer.body)[:300]}\n")
            return False
        time.sleep(min(5.0, patience / 10))


def main(base: str, patience: float = PATIENCE) -> int:
    """All checks, one after another; 1 when one of them fails."""
    failed = [check.path for check in CHECKS if not passes(base.rstrip("/"), check, patience)]
    sys.stdout.write(f"{len(CHECKS) - len(failed)} of {len(CHECKS)} checks passed\n")
    return 1 if failed else 0


def _answer(status: int, headers: dict[str, str], body: bytes) -> Answer:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    return Answer(status, {name.lower(): value for name, value in headers.items()}, content)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
