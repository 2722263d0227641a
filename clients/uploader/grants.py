"""The signed URLs of files that wait for their upload, renewed when the storage refuses them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from clients.uploader.contract import Grant, JobFile

_RENEWED_AT_ONCE = 100
"""URLs asked for in one call: the refused one, and those that wait behind it and end no later."""


class Grants:
    """Signed requests by asset id. Holds the files that are announced and not uploaded yet, no more.

    A URL counts as expired when the storage says so: this machine's clock has no say.
    """

    def __init__(self, fresh: Callable[[Sequence[str]], Awaitable[Iterable[JobFile]]]) -> None:
        """`fresh` asks the platform for new URLs of these assets."""
        self._fresh = fresh
        self._grants: dict[str, Grant] = {}
        self._one_at_a_time = asyncio.Lock()

    def add(self, asset_id: str, grant: Grant) -> None:
        """Keeps a URL until its file is uploaded."""
        self._grants[asset_id] = grant

    def get(self, asset_id: str) -> Grant | None:
        """The URL of a file; None when the platform has the file already."""
        return self._grants.get(asset_id)

    def remove(self, asset_id: str) -> None:
        """Forgets the URL of a file that needs it no more."""
        self._grants.pop(asset_id, None)

    async def renew(self, asset_id: str, refused: Grant) -> Grant | None:
        """Another URL than the refused one; None when the platform has the file already."""
        async with self._one_at_a_time:
            if self._grants.get(asset_id) is refused:
                await self._renew_with_others(asset_id, refused)
        return self._grants.get(asset_id)

    async def _renew_with_others(self, asset_id: str, refused: Grant) -> None:
        as_old = [
            other
            for other, grant in self._grants.items()
            if other != asset_id and grant["expires_at"] <= refused["expires_at"]
        ]
        for file in await self._fresh([asset_id, *as_old[: _RENEWED_AT_ONCE - 1]]):
            if file["upload"] is None:
                self.remove(file["asset_id"])
            else:
                self.add(file["asset_id"], file["upload"])
