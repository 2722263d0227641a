"""The local cloud and Google Cloud are provisioned alike: what the one asks for is what the other plans."""

from dataclasses import fields
from itertools import pairwise

import httpx
import pytest
from starlette.responses import PlainTextResponse

from emulators.gateway import build
from infra.catalog import HttpTrigger, functions
from tests.infra.recorded import provisioned
from tests.infra.topology import Topology, planned, planned_routes
from tests.infra.workspace import Plan


@pytest.fixture(scope="module")
def google(prod: Plan) -> Topology:
    """What Terraform plans."""
    return planned(prod)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    """What the local cloud's provisioner asks its emulators for."""
    return provisioned(functions(), tmp_path_factory.mktemp("local"))


@pytest.mark.parametrize("part", [part.name for part in fields(Topology)])
def test_both_clouds_have_the_same(part: str, local: Topology, google: Topology) -> None:
    assert getattr(google, part) == getattr(local, part)


def test_neither_cloud_is_empty(local: Topology) -> None:
    assert {"documents", "voice", "files", "deadletter"} <= local.topics
    assert {"progress", "operations", "mail"} <= local.queues.keys()
    assert {"ocr", "transcribe", "receive", "deadletter"} <= local.subscriptions.keys()


@pytest.mark.parametrize("below", ["", "/", "/x", "/x/y"])
async def test_a_path_is_routed_to_the_same_function(below: str, prod: Plan) -> None:
    # Given a gateway whose functions answer with their own names
    named = {function.name: PlainTextResponse(function.name) for function in functions()}
    public = httpx.ASGITransport(build(named, internal_port=1))
    async with httpx.AsyncClient(transport=public, base_url="http://127.0.0.1:2") as client:
        for path, function in planned_routes(prod).items():
            # When a path below one that Terraform routes is asked for
            answer = await client.get(path + below)
            # Then the function that Terraform routes it to answers
            assert answer.text == function, path


def test_every_path_of_the_catalogue_is_routed(prod: Plan) -> None:
    claimed = {
        path: one.name for one in functions() if isinstance(one.trigger, HttpTrigger) for path in one.trigger.paths
    }
    assert planned_routes(prod) == claimed


def test_pubsub_may_move_events_to_the_dead_letters(prod: Plan, google: Topology) -> None:
    moved = {name for name, subscription in google.subscriptions.items() if subscription.dead_letter_topic}
    assert set(prod.of("google_pubsub_subscription_iam_member", "dead_letter")) == moved
    agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    publisher = prod.one("google_pubsub_topic_iam_member", "dead_letter")
    assert (publisher["topic"], publisher["role"], publisher["member"]) == (
        "deadletter",
        "roles/pubsub.publisher",
        agent,
    )


def test_no_object_wakes_two_functions(google: Topology) -> None:
    prefixes = sorted(notification.prefix for notification in google.notifications)
    assert not [(one, other) for one, other in pairwise(prefixes) if other.startswith(one)]
    # Cloud Storage takes ten notification configurations for each type of event.
    assert len(prefixes) <= 10
