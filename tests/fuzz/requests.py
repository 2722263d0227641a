"""Requests made at random from the reference, one by one and in chains, by admins of projects, companies, the platform.

Half of them name things that are there, since an id made at random finds nothing. Every operation meets new things,
so that what one of them deletes does not hide the others.
"""

import itertools
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Err, Result
from schemathesis.generation.stateful.state_machine import APIStateMachine

from infra.openapi import REFERENCE
from infra.openapi import operations as operations_of
from shared.models.identity import Company, ProjectRole, Role
from tests.access.world import Target, things
from tests.conftest import Cloud
from tests.fuzz.findings import Findings
from tests.people import Person, found_company, join

WHO = {"project admin": Role.USER, "company admin": Role.ADMIN, "super admin": Role.SUPER_ADMIN}
CHAINED = 0.3
"""Share of the requests that are made in chains: with what an answer gave, the next is asked."""
STEPS = 8
"""Requests of a chain."""
EXAMPLES = 4
"""Requests in order, and others not in order, that an operation gets before the next one's turn."""
MANY = 2000
"""With less, operations get fewer, so that each has its turn."""
ENDS_THE_CHAIN = "/api/auth/logout"
CHAINS = 50
"""Chains in a turn."""


@dataclass(frozen=True)
class Asker:
    """Somebody who asks: signed in, with a company of their own."""

    who: str
    person: Person
    company: Company
    session: requests.Session

    def is_signed_in(self, url: str) -> bool:
        """Whether they still are: they may have been asked to sign out."""
        headers = {"Authorization": self.person.http.headers["Authorization"]}
        return self.session.get(f"{url}/api/auth/me", headers=headers, timeout=60).status_code == 200

    async def things(self) -> Target:
        """New things to ask for."""
        return await things(self.company, {self.person.user.id: ProjectRole.ADMIN})

    def send(self, case: Case[Any], url: str) -> Response:
        """Sends the request as they would."""
        headers = {"Authorization": self.person.http.headers["Authorization"]}
        return case.call(base_url=url, session=self.session, headers=headers, timeout=60)


async def _asker(cloud: Cloud, who: str) -> Asker:
    company = await found_company()
    person = await join(cloud, None if WHO[who] is Role.SUPER_ADMIN else company, WHO[who])
    session = requests.Session()
    session.trust_env = False
    return Asker(who, person, company, session)


def fuzz(cloud: Cloud, count: int, seed: int, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Findings:
    """Makes at least `count` requests, the same ones for the same seed, and says what was found.

    `run` runs what is asynchronous, on the loop on which this process reaches the database.
    """
    findings = Findings()
    askers: dict[str, Asker] = {}
    for turn in _turns(seed):
        if findings.requests >= count:
            break
        who = list(WHO)[turn.number % len(WHO)]
        if who not in askers or not askers[who].is_signed_in(cloud.url):
            askers[who] = run(_asker(cloud, who))
        if findings.requests < (1 - CHAINED) * count:
            examples = EXAMPLES if count > MANY else 2  # the first is always the least that there is
            _ask(askers[who], cloud.url, turn, run(askers[who].things()), findings, examples)
        else:
            _chain(askers[who], cloud.url, turn, findings, count - findings.requests)
    return findings


@dataclass(frozen=True)
class Turn:
    """An operation's turn."""

    schema: Any
    operation: APIOperation[Any, Any, Any, Any]
    number: int
    seed: int


def _turns(seed: int) -> Iterator[Turn]:
    reference = json.loads(REFERENCE.read_text())
    for _, _, described in operations_of(reference):
        described.pop("security", None)  # all come signed in: the matrix asks who does not
    schema = schemathesis.openapi.from_dict(reference)
    operations = [_sound(found) for found in schema.get_all_operations()]
    for round_ in itertools.count():
        for number, operation in enumerate(operations):
            # every round somebody else
            yield Turn(schema, operation, round_ + number, seed + round_ * len(operations) + number)


def _sound(found: Result[APIOperation[Any, Any, Any, Any], InvalidSchema]) -> APIOperation[Any, Any, Any, Any]:
    if isinstance(found, Err):
        raise found.err()
    return found.ok()


def _settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        stateful_step_count=STEPS,
    )


def _ask(asker: Asker, url: str, turn: Turn, target: Target, findings: Findings, examples: int) -> None:
    ids = target.ids() | {"asset_id": target.document.id}

    for mode in _modes(turn.operation):

        @hypothesis.seed(turn.seed)
        @_settings(examples)
        @hypothesis.given(case=turn.operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            if findings.requests % 2:
                _name(case, ids)
            findings.look(case, asker.send(case, url), asker.who)

        ask()


def _modes(operation: APIOperation[Any, Any, Any, Any]) -> list[GenerationMode]:
    """Requests in order, and others if there can be any: where nothing but text is asked, each text is in order."""
    described = operation.definition.raw
    if "requestBody" in described or any(map(_fallible, described.get("parameters", []))):
        return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    return [GenerationMode.POSITIVE]


def _fallible(parameter: Mapping[str, Any]) -> bool:
    demands = {name: demand for name, demand in parameter["schema"].items() if name not in ("title", "description")}
    return parameter["in"] == "query" or demands != {"type": "string"}


def _name(case: Case[Any], ids: dict[str, str]) -> None:
    """Has the request name things that are there."""
    for sent in (case.path_parameters, case.query, case.body):
        if not isinstance(sent, dict):
            continue
        for name in sent.keys() & ids.keys():
            sent[name] = ids[name]
        for name in ("document_ids", "asset_ids"):
            if name in sent:
                sent[name] = [ids["asset_id"]]


def _chain(asker: Asker, url: str, turn: Turn, findings: Findings, count: int) -> None:
    made: type[APIStateMachine] = turn.schema.exclude(path=ENDS_THE_CHAIN).as_state_machine()

    class Chain(made):  # type: ignore[valid-type, misc]  # made of the reference
        """Calls that follow each other."""

        def call(self, case: Case[Any], **_: Any) -> Response:
            return asker.send(case, url)

        def validate_response(self, response: Response, case: Case[Any], *_: Any, **__: Any) -> None:
            findings.look(case, response, f"{asker.who}, in a chain")

    hypothesis.seed(turn.seed)(Chain)
    Chain.run(settings=_settings(max(1, min(count // STEPS, CHAINS))))
