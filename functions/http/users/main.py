"""The users of a company: /api/users."""

from typing import Annotated

from shared.models.identity import NewUser, Role, UserChange, UserView
from shared.services import users
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first
from shared.web.rate_limits import INVITE, per_caller

from fastapi import Query, Response

router = router_at("/api/users")

Search = Annotated[str, Query(max_length=100, description="Beginning of a word of the name, e-mail or user name.")]


@router.get("")
async def list_users(caller: SignedIn, paging: Paged, q: Search = "", role: Role | None = None) -> Page[UserView]:
    """The users of the caller's company, newest first."""
    found = await users.page(caller, paging.size, paging.after, q=q, role=role)
    return paging.page(found, users.view, newest_first)


@router.post("", status_code=201, dependencies=[per_caller(INVITE)])
async def create_user(caller: SignedIn, asked: NewUser, etag: Conditional) -> UserView:
    """Makes a user, who confirms the address by mail. The company's admins only."""
    user = await users.create(caller, asked)
    etag.answer(user.version)
    return users.view(user)


@router.get("/{user_id}")
async def get_user(caller: SignedIn, user_id: str, etag: Conditional) -> UserView:
    """One user of the caller's company."""
    user = await users.get(caller, user_id)
    etag.answer(user.version)
    return users.view(user)


@router.patch("/{user_id}")
async def change_user(caller: SignedIn, user_id: str, asked: UserChange, etag: Conditional) -> UserView:
    """Changes the name or the company role. The company's admins only; it keeps at least one."""
    user = await users.change(caller, user_id, asked, etag.expected)
    etag.answer(user.version)
    return users.view(user)


@router.post("/{user_id}/suspend")
async def suspend_user(caller: SignedIn, user_id: str) -> UserView:
    """Keeps a user out until restored. The company's admins only."""
    return users.view(await users.suspend(caller, user_id))


@router.delete("/{user_id}", status_code=204)
async def delete_user(caller: SignedIn, user_id: str) -> Response:
    """Deletes a user; they can be restored for 30 days. The company's admins only."""
    await users.delete(caller, user_id)
    return Response(status_code=204)


@router.post("/{user_id}/restore")
async def restore_user(caller: SignedIn, user_id: str) -> UserView:
    """Lets a suspended or deleted user in again. The company's admins only."""
    return users.view(await users.restore(caller, user_id))


main = http_function("users", router)
