"""Walks every resource with a client that was generated from the reference: `python newcomer.py URL EMAIL PASSWORD`.

Run by tests/api/test_generated_client.py where the generated package `alta_client` is; it knows nothing of the platform
but what the generator made of its reference. The e-mail address is that of a super admin. Prints what was called.
"""

import importlib
import inspect
import pkgutil
import sys
import time
from pathlib import Path
from typing import Any

import httpx

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "upload"


class Newcomer:
    """Calls operations by their ids, with bodies and answers as the generated models."""

    def __init__(self, url: str) -> None:
        package = importlib.import_module("alta_client")
        self.client: Any = package.Client(base_url=url, timeout=httpx.Timeout(60), raise_on_unexpected_status=True)
        self._package = package
        self._url = url
        self._modules = {
            one.name.rpartition(".")[2]: one.name
            for one in pkgutil.walk_packages(importlib.import_module("alta_client.api").__path__, "alta_client.api.")
        }
        self.called: dict[str, None] = {}

    def sign_in(self, **credentials: str) -> None:
        """Signs in; all later calls carry the token."""
        signed_in = self("login", body=credentials)
        self.client = self._package.AuthenticatedClient(
            base_url=self._url,
            token=signed_in.access_token,
            timeout=httpx.Timeout(60),
            raise_on_unexpected_status=True,
        )

    def __call__(self, operation: str, *path: str | int, body: Any = None, **query: Any) -> Any:
        """The answer, as its generated model. Fails for an error, and for an answer that is not as described."""
        module = importlib.import_module(self._modules[operation])
        if body is not None:
            query["body"] = self._model(module)(body)
        answer = module.sync_detailed(*path, client=self.client, **query)
        if answer.status_code >= 400:
            raise SystemExit(f"{operation}: {answer.status_code} {answer.content.decode()}")
        if answer.content and answer.parsed is None:
            raise SystemExit(f"{operation}: an answer that the generated client does not understand")
        self.called[operation] = None
        return answer.parsed

    def _model(self, module: Any) -> Any:
        kind = inspect.signature(module.sync_detailed).parameters["body"].annotation
        return kind.from_dict

    def tags(self) -> set[str]:
        """The parts of the API in which something was called."""
        return {self._modules[one].split(".")[2] for one in self.called}


def walk(alta: Newcomer, email: str, password: str) -> None:
    """Every resource once."""
    alta("get_health")
    alta("get_readiness")
    alta.sign_in(username="admin", password="admin123")
    me = alta("me")
    project = alta("create_project", body={"name": "Generated", "default_role": "admin"}).id
    alta("get_project", project)
    alta("change_project", project, body={"description": "By a generated client."})
    alta("list_projects", page_size=5, name_prefix="gen")
    alta("list_members", project)
    alta("invite", project, body={"email": f"newcomer-{time.time_ns()}@example.org"})
    alta("list_invitations", project)
    cycle = alta("create_cycle", body={"project_id": project, "name": "Spring", "starts_on": "2026-03-01"}).id
    alta("get_cycle", cycle)
    alta("list_cycles", project_id=project)
    session = alta("create_session", body={"project_id": project, "cycle_id": cycle, "name": "Monday"}).id
    alta("get_session", session)
    alta("list_sessions", project_id=project)
    _files(alta, project, session)
    _results(alta, project, me.id)
    alta("list_users", q="admin")
    alta("get_user", me.id)
    alta("get_company", me.company_id)
    alta("delete_project", project)
    alta("restore_project", project)
    alta.sign_in(email=email, password=password)
    for listed in ("list_all_users", "list_all_companies", "list_audit", "list_dead_letters", "list_companies"):
        alta(listed, page_size=5)


def _files(alta: Newcomer, project: str, session: str) -> None:
    contents = {
        "letter.png": "image/png",
        "austen-reading.flac": "audio/flac",
        "stations.csv": "text/csv",
    }
    files = [
        {"path": name, "size": (SAMPLES / name).stat().st_size, "content_type": kind} for name, kind in contents.items()
    ]
    job = alta("start_upload", body={"session_id": session, "files": files})
    for file in job.files:
        upload = file.upload
        sent = httpx.request(
            upload.method, upload.url, headers=upload.headers.to_dict(), content=(SAMPLES / file.path).read_bytes()
        )
        sent.raise_for_status()
    limit = time.monotonic() + 120
    while alta("get_upload_status", job.job_id).status != "completed":
        if time.monotonic() > limit:
            raise SystemExit("the session does not end")
        time.sleep(0.5)
    document, voice, file = (one.asset_id for one in job.files)
    for kind, one in (("document", document), ("voice", voice), ("file", file)):
        alta(f"get_{kind}", one)
        alta(f"get_{kind}_content", one)
        alta(f"list_{kind}s", project_id=project)
        if kind != "file":
            alta(f"get_{kind}_result", one)
            alta(f"get_{kind}_text", one)
            alta(f"correct_{kind}_text", one, body={"text": "Corrected.", "comment": "By hand."})
            alta(f"list_{kind}_revisions", one)
            alta(f"get_{kind}_revision", one, 1)
    alta("put_label_set", project, body={"fields": [{"name": "topics", "type": "tags"}]})
    alta("get_label_set", project)
    said = {"annotations": [{"field": "topics", "type": "tags", "labels": ["river"]}]}
    alta("put_document_labels", document, body=said)
    alta("get_document_labels", document)
    alta("submit_for_review", project, body={"document_ids": [document]})
    alta("list_reviews", project_id=project)
    alta("get_review", document)
    alta("get_review_history", document)


def _results(alta: Newcomer, project: str, user: str) -> None:
    alta("get_session_stats", project_id=project)
    alta("get_summary", project_id=project)
    alta("get_user_summary", user, project_id=project)
    export = alta("create_export", body={"project_id": project, "format": "jsonl"}).id
    alta("get_export", export)
    alta("list_exports", project_id=project)
    hook = alta(
        "create_webhook", body={"project_id": project, "url": "http://127.0.0.1:9/", "events": ["export.ready"]}
    ).id
    alta("get_webhook", hook)
    alta("list_webhooks", project_id=project)
    alta("list_deliveries", hook)
    alta("delete_webhook", hook)


if __name__ == "__main__":
    newcomer = Newcomer(sys.argv[1])
    walk(newcomer, sys.argv[2], sys.argv[3])
    sys.stdout.write(f"{len(newcomer.called)} operations of {', '.join(sorted(newcomer.tags()))}\n")
