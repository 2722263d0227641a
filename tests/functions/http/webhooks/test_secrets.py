"""The secrets of webhooks, at rest: of no use to who reads the database, and still good when the key is changed."""

import base64
import os
import secrets
import subprocess
import sys

import pytest

from emulators.parts import FUNCTIONS
from infra.catalog import ROOT
from shared.models.records import new_id
from shared.services import sealing
from shared.settings import Settings
from shared.store import audit, webhooks
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import made

WEBHOOK = "whk_resealed"
MAKE = f"""
import asyncio
from shared.models.records import now
from shared.models.webhooks import Webhook
from shared.services import sealing
from shared.store import firestore, webhooks

sealed = [sealing.seal(secret, "{WEBHOOK}") for secret in ("whsec_one", "whsec_two")]
webhook = Webhook(
    id="{WEBHOOK}", created_at=now(), updated_at=now(), company_id="c", project_id="p", url="https://x", events=[],
    sealed_secret=sealed[0], previous_sealed_secret=sealed[1], created_by="u",
)
asyncio.run(firestore.commit(webhooks.create(webhook)))
"""
SHOW = f"""
import asyncio
from shared.services import sealing
from shared.store import webhooks

webhook = asyncio.run(webhooks.get("{WEBHOOK}"))
print(*(sealing.opened(one, webhook.id) for one in (webhook.sealed_secret, webhook.previous_sealed_secret)))
"""


async def test_a_secret_is_shown_once_and_is_nowhere_in_database_audit_or_log(cloud: Cloud, staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    body = {"project_id": project["id"], "url": "http://127.0.0.1:1/", "events": ["export.ready"]}
    hook = await made(http, "/api/webhooks", **body)
    rotated = (await http.post(f"/api/webhooks/{hook['id']}/rotate-secret")).json()

    record = await webhooks.get(hook["id"])
    entries = await audit.page((("target_id", "==", hook["id"]),), 10, None)
    answers = [(await http.get(path)).text for path in (f"/api/webhooks/{hook['id']}", _list(project["id"]))]
    lines = cloud.state.log(FUNCTIONS).read_text()

    assert record is not None
    assert [entry.action for entry in entries] == ["webhook.secret_rotated", "webhook.created"]
    told = "".join([record.model_dump_json(), *(entry.model_dump_json() for entry in entries), *answers, lines])
    for secret in (hook["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in told
    assert record.sealed_secret not in "".join([*answers, *(entry.model_dump_json() for entry in entries)])
    assert sealing.opened(record.sealed_secret, record.id) == rotated["secret"]


def _list(project_id: str) -> str:
    return f"/api/webhooks?project_id={project_id}"


async def test_a_sealed_secret_opens_for_its_own_webhook_alone(cloud: Cloud) -> None:
    sealed = sealing.seal("whsec_one", "whk_1")
    assert sealing.opened(sealed, "whk_1") == "whsec_one"
    assert sealed != sealing.seal("whsec_one", "whk_1")
    for wrong in (sealed[:-4] + "AAAA", "00000000" + sealed[8:]):
        with pytest.raises(sealing.Unsealable):
            sealing.opened(wrong, "whk_1")
    with pytest.raises(sealing.Unsealable):
        sealing.opened(sealed, "whk_2")


def test_the_command_seals_anew_with_the_first_key_so_that_the_others_can_go(cloud: Cloud) -> None:
    # A project of its own: no other test's webhooks are in its database.
    database = {"GOOGLE_CLOUD_PROJECT": new_id("sealed").replace("_", "-")}
    old, new = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    given = {**cloud.environment, **database}

    _run({**given, "SEALING_KEYS": old}, "-c", MAKE)

    assert "secrets of 1 webhooks" in _run({**given, "SEALING_KEYS": f"{new},{old}"}, *cloud.watched("infra.reseal"))
    assert "secrets of 0 webhooks" in _run({**given, "SEALING_KEYS": f"{new},{old}"}, *cloud.watched("infra.reseal"))
    assert _run({**given, "SEALING_KEYS": new}, "-c", SHOW).split() == ["whsec_one", "whsec_two"]
    with pytest.raises(subprocess.CalledProcessError):
        _run({**given, "SEALING_KEYS": old}, "-c", SHOW)


def _run(given: dict[str, str], *program: str) -> str:
    environment = {**os.environ, **given}
    done = subprocess.run(
        [sys.executable, *program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_a_key_that_is_none_stops_the_instance(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALING_KEYS", base64.b64encode(b"short").decode())
    with pytest.raises(ValueError, match="32 bytes"):
        Settings()
