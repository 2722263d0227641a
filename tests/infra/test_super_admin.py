"""The command that makes super admins."""

import subprocess
import sys

from infra.catalog import ROOT
from shared.models.identity import Role
from shared.models.records import new_id
from tests import loopback
from tests.conftest import Cloud
from tests.people import PASSWORD, found_company, join


def _command(cloud: Cloud, *arguments: str) -> str:
    command = (sys.executable, *cloud.watched("infra.super_admin"), *arguments)
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout


async def test_the_first_super_admin_chooses_a_password_by_the_link_that_the_command_shows(cloud: Cloud) -> None:
    email = f"{new_id('op')}@example.org"
    said = _command(cloud, email)
    token = said.rpartition("#token=")[2].strip()
    async with loopback.client(cloud.url) as http:
        chosen = {"token": token, "password": PASSWORD}
        assert (await http.post("/api/auth/password-reset/confirm", json=chosen)).status_code == 204
        tokens = (await http.post("/api/auth/login", json={"email": email, "password": PASSWORD})).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/api/admin/audit", headers=headers)).status_code == 200
        _command(cloud, email, "--revoke")
        again = (await http.post("/api/auth/login", json={"email": email, "password": PASSWORD})).json()
        headers = {"Authorization": f"Bearer {again['access_token']}"}
        assert (await http.get("/api/auth/me", headers=headers)).json()["role"] == "user"


async def test_somebody_who_has_an_account_keeps_its_password(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    assert "choose a password" not in _command(cloud, person.user.email)
    answer = await person.http.post("/api/auth/login", json={"email": person.user.email, "password": PASSWORD})
    assert answer.status_code == 200
    me = (await person.http.get("/api/auth/me")).json()
    assert (me["role"], me["company_id"]) == ("super_admin", None)
    await person.http.aclose()
