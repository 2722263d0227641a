"""The platform over HTTP: one method a call of the contract, with retries, tokens and errors handled here once."""

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar, cast

import httpx

from clients.uploader.auth import Login, LoginFile, TokenAuth, checked_server
from clients.uploader.connections import open_client
from clients.uploader.contract import (
    PAGE_SIZE,
    Asset,
    AssetText,
    Job,
    ManifestFile,
    Named,
    Session,
    Status,
    Tokens,
)
from clients.uploader.errors import ApiError, NotSignedIn, UnknownName
from clients.uploader.events import Observer, Retrying, silent
from clients.uploader.retry import DISCONNECTS, Attempts, Backoff, Transient, fault_of_disconnect, fault_of_response

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_FIRST_CONTACT = 10.0
"""Seconds until a platform that never answered counts as wrong or off, rather than as busy."""
_COLLECTIONS = {"document": "documents", "voice": "voice"}

Item = TypeVar("Item")


class Client:
    """A signed-in client of one platform; an async context manager.

    Every request carries an `X-Request-ID` made of one id for the client and a counter, so that all steps of a run are
    found together in the logs. Every POST but a sign-in carries an `Idempotency-Key`, the same for its retries.
    """

    def __init__(
        self,
        server: str,
        refresh_token: str = "",
        *,
        backoff: Backoff | None = None,
        rotated: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`rotated` hears of each new refresh token. Without a refresh token, call `login` first."""
        self.server = checked_server(server)
        self.backoff = backoff or Backoff()
        self.observe: Observer = silent
        self.run_id = uuid.uuid4().hex[:16]
        self._steps = itertools.count(1)
        self._answered = False
        self._http = open_client(base_url=self.server, timeout=_TIMEOUT)
        self._auth = TokenAuth(self._refresh, refresh_token, rotated)

    @classmethod
    def signed_in(cls, kept: LoginFile | None = None, *, backoff: Backoff | None = None) -> "Client":
        """A client with the sign-in that `alta login` keeps; raises `NotSignedIn` when there is none."""
        file = kept or LoginFile()
        login = file.load()
        return cls(
            login.server,
            login.refresh_token,
            backoff=backoff,
            rotated=lambda token: file.save(replace(login, refresh_token=token)),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    # --- signing in

    async def login(self, user: str, password: str) -> Login:
        """Signs in with a user name or an e-mail; the answer can be kept in a `LoginFile`."""
        name = "email" if "@" in user else "username"
        answer = await self._call("POST", "/api/auth/login", json={name: user, "password": password}, signing_in=True)
        tokens = cast(Tokens, answer.json())
        self._auth.take(tokens)
        return Login(self.server, user, tokens["refresh_token"])

    async def _refresh(self, refresh_token: str) -> Tokens:
        if not refresh_token:
            raise NotSignedIn("Nobody is signed in.")
        body = {"refresh_token": refresh_token}
        try:
            answer = await self._call("POST", "/api/auth/refresh", json=body, signing_in=True)
        except ApiError as error:
            if error.status in (400, 401, 403):
                raise NotSignedIn(f"The sign-in is over ({error.message}) Run `alta login` again.") from error
            raise
        return cast(Tokens, answer.json())

    # --- where files go

    async def project(self, name: str, *, create: bool = False) -> Named:
        """The project with this id or name; `create` makes one when no project has the name."""
        found = await self._named("/api/projects", "prj_", name, {})
        if found is None and create:
            found = cast(Named, (await self._call("POST", "/api/projects", json={"name": name})).json())
        if found is None:
            raise UnknownName(f"There is no project {name!r}.")
        return found

    async def cycle(self, project_id: str, name: str, *, create: bool = False) -> Named:
        """The cycle of the project with this id or name; `create` makes one when no cycle has the name."""
        found = await self._named("/api/cycles", "cyc_", name, {"project_id": project_id})
        if found is None and create:
            body = {"project_id": project_id, "name": name}
            found = cast(Named, (await self._call("POST", "/api/cycles", json=body)).json())
        if found is None:
            raise UnknownName(f"The project has no cycle {name!r}.")
        return found

    async def _named(self, path: str, prefix: str, name: str, filters: Mapping[str, str]) -> Named | None:
        if name.startswith(prefix):
            return cast(Named, (await self._call("GET", f"{path}/{name}")).json())
        found = [item async for item in self._list(path, filters, Named) if item["name"] == name]
        if len(found) > 1:
            raise UnknownName(
                f"{len(found)} are called {name!r}; name one by its id: {', '.join(i['id'] for i in found)}."
            )
        return found[0] if found else None

    async def create_session(self, project_id: str, cycle_id: str, name: str) -> Session:
        """A new upload session; an empty `cycle_id` is none."""
        body = {"project_id": project_id, "name": name} | ({"cycle_id": cycle_id} if cycle_id else {})
        return cast(Session, (await self._call("POST", "/api/sessions", json=body)).json())

    async def session(self, session_id: str) -> Session | None:
        """A session; None when it does not exist, or not for this user."""
        try:
            return cast(Session, (await self._call("GET", f"/api/sessions/{session_id}")).json())
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    # --- the upload job

    async def start(self, session_id: str, files: Sequence[ManifestFile], *, expect_more: bool) -> Job:
        """Announces the first page of a manifest. Repeatable: known files are answered as they stand."""
        body = {"session_id": session_id, "files": files, "expect_more": expect_more}
        return cast(Job, (await self._call("POST", "/api/uploads/start", json=body)).json())

    async def add_files(self, job_id: str, files: Sequence[ManifestFile], *, expect_more: bool) -> Job:
        """Announces a further page."""
        body = {"files": files, "expect_more": expect_more}
        return cast(Job, (await self._call("POST", f"/api/uploads/{job_id}/files", json=body)).json())

    async def fresh_urls(self, job_id: str, asset_ids: Sequence[str]) -> Job:
        """New signed URLs for files of the job."""
        body = {"asset_ids": asset_ids}
        return cast(Job, (await self._call("POST", f"/api/uploads/{job_id}/urls", json=body)).json())

    async def cancel(self, job_id: str) -> None:
        """Stops what has not begun."""
        await self._call("POST", f"/api/uploads/{job_id}/cancel")

    async def status(self, job_id: str) -> Status:
        """Where a job stands."""
        return cast(Status, (await self._call("GET", f"/api/uploads/status/{job_id}")).json())

    async def news(self, job_id: str, known: str) -> tuple[Status | None, str]:
        """Where a job stands, with its ETag; None when it still is as at the ETag `known` (empty: nothing is known)."""
        headers = {"If-None-Match": known} if known else {}
        answer = await self._call("GET", f"/api/uploads/status/{job_id}", headers=headers)
        if answer.status_code == 304:
            return None, known
        return cast(Status, answer.json()), answer.headers.get("etag", "")

    # --- results

    def assets(self, kind: str, session_id: str) -> AsyncIterator[Asset]:
        """The documents (`document`) or recordings (`voice`) of a session."""
        return self._list(f"/api/{_COLLECTIONS[kind]}", {"session_id": session_id}, Asset)

    async def asset(self, kind: str, asset_id: str) -> AssetText:
        """A document or recording with its text."""
        return cast(AssetText, (await self._call("GET", f"/api/{_COLLECTIONS[kind]}/{asset_id}")).json())

    # --- the wire

    async def _list(self, path: str, filters: Mapping[str, str], _: type[Item]) -> AsyncIterator[Item]:
        token = ""
        while True:
            params = {**filters, "page_size": str(PAGE_SIZE)} | ({"page_token": token} if token else {})
            page = (await self._call("GET", path, params=params)).json()
            for item in page["items"]:
                yield cast(Item, item)
            token = page.get("next_page_token") or ""
            if not token:
                return

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        signing_in: bool = False,
    ) -> httpx.Response:
        sent = {"X-Request-ID": f"{self.run_id}-{next(self._steps)}", **(headers or {})}
        if method == "POST" and not signing_in:
            sent["Idempotency-Key"] = uuid.uuid4().hex
        auth = None if signing_in else self._auth
        backoff = self.backoff
        if not self._answered:
            backoff = replace(backoff, deadline=min(_FIRST_CONTACT, backoff.deadline))
        attempts = Attempts(backoff, lambda reason, delay: self.observe(Retrying(reason, delay)))
        while True:
            try:
                answer = await self._http.request(method, path, json=json, params=params, headers=sent, auth=auth)
                self._answered = True
                return _checked(answer)
            except DISCONNECTS as error:
                fault = fault_of_disconnect(error)
            except Transient as error:
                fault = error
            await attempts.wait(fault)


def _checked(answer: httpx.Response) -> httpx.Response:
    """The answer when it is good; raises `Transient` or `ApiError` otherwise."""
    if answer.is_success or answer.status_code == 304:
        return answer
    error = _error(answer)
    fault = fault_of_response(answer)
    if fault is not None:
        raise _too_often(error, fault) if error.status == httpx.codes.TOO_MANY_REQUESTS else fault
    if error.code == "request_in_flight":
        raise Transient("the same request is still being worked on")
    raise error


def _too_often(error: ApiError, fault: Transient) -> Transient:
    """A limit of the platform: waited for, or else told in its own words."""
    when = "later" if fault.retry_after is None else f"in {fault.retry_after:.0f} s"
    told = ApiError(error.status, error.code, f"{error.message} Try again {when}.", error.request_id, error.details)
    return Transient(fault.reason, fault.retry_after, told)


def _error(answer: httpx.Response) -> ApiError:
    request_id = answer.headers.get("x-request-id", "")
    try:
        body = answer.json()["error"]
        details = body.get("details") or ()
        listed = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        return ApiError(answer.status_code, body["code"], body["message"], body.get("requestId", request_id), listed)
    except (ValueError, KeyError, TypeError, AttributeError):
        message = f"{answer.request.url.host} answered {answer.status_code} without saying why."
        return ApiError(answer.status_code, f"http_{answer.status_code}", message, request_id)
