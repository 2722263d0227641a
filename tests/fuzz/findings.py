"""What a generated request brought to light: an error of ours, or an answer that the reference does not describe."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Finding:
    """One answer that is not as it must be, and how to ask for it again."""

    operation: str
    who: str
    status: int
    what: str
    request: str
    answer: str

    def __str__(self) -> str:
        return f"{self.operation} as {self.who}: {self.status}: {self.what}\n  {self.request}\n  {self.answer}"


@dataclass
class Findings:
    """All that were made, and how many requests it took."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    found: list[Finding] = field(default_factory=list)

    def look(self, case: Case[Any], response: Response, who: str) -> None:
        """Counts an answer, and keeps what is wrong with it."""
        self.requests += 1
        self.statuses[response.status_code] += 1
        for failure in _failures(case, response):
            self.found.append(
                Finding(
                    operation=f"{case.method} {case.path}",
                    who=who,
                    status=response.status_code,
                    what=f"{failure.title}: {failure.message}"[:500],
                    request=case.as_curl_command(),
                    answer=response.text[:500],
                )
            )


def _failures(case: Case[Any], response: Response) -> list[Failure]:
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        return list(group.exceptions)
    return []
