"""Looking into a local cloud from outside: its clock, every document of its database, every object of its bucket."""

from collections.abc import AsyncIterable
from typing import Any

import grpc.aio
from google.cloud.firestore_v1 import types

from emulators.ports import Ports
from emulators.state import BUCKET, PROJECT
from shared.store.revisions import REVISIONS
from tests import loopback

PAGE = 1000
AT_ONCE = 500
_OWNER = {"Authorization": "Bearer owner"}
_RunQuery = types.RunQueryRequest.pb()
_Answer = types.RunQueryResponse.pb()
_RUN_QUERY = "/google.firestore.v1.Firestore/RunQuery"


class Inside:
    """The parts of one local cloud, past its functions."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._root = f"{ports.url('firestore')}/v1/projects/{PROJECT}/databases/(default)/documents"
        self._http = loopback.client(timeout=300)
        self._channel = grpc.aio.insecure_channel(ports.address("firestore"))

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()
        await self._channel.close(None)

    async def run(self, schedule: str) -> None:
        """Has a schedule's function run now, and waits until it has."""
        answer = await self._http.post(f"{self._ports.url('scheduler')}/jobs/{schedule}:run")
        assert (answer.status_code, answer.json()["status"]) == (200, 204), answer.text

    async def pause(self, schedule: str) -> None:
        """From now on the schedule's function runs only when a test has it run."""
        (await self._http.post(f"{self._ports.url('scheduler')}/jobs/{schedule}:pause")).raise_for_status()

    async def change(self, *paths: str, **values: str | bool) -> None:
        """Sets fields of documents; text is a time (RFC 3339)."""
        fields = {
            name: {"booleanValue" if isinstance(value, bool) else "timestampValue": value}
            for name, value in values.items()
        }
        root = self._root.partition("/v1/")[2]
        for start in range(0, len(paths), AT_ONCE):
            writes = [
                {
                    "update": {"name": f"{root}/{path}", "fields": fields},
                    "updateMask": {"fieldPaths": list(values)},
                    "currentDocument": {"exists": True},
                }
                for path in paths[start : start + AT_ONCE]
            ]
            (await self._http.post(f"{self._root}:commit", json={"writes": writes}, headers=_OWNER)).raise_for_status()

    async def read(self, path: str) -> dict[str, Any]:
        """The fields of a document, as the REST API has them."""
        fields: dict[str, Any] = (
            (await self._http.get(f"{self._root}/{path}", headers=_OWNER)).raise_for_status().json()["fields"]
        )
        return fields

    async def copy(self, path: str, to: str, **fields: Any) -> None:
        """A second document like one that is there, with these fields (as the REST API has them) instead."""
        body = {"fields": {**await self.read(path), **fields}}
        (await self._http.patch(f"{self._root}/{to}", json=body, headers=_OWNER)).raise_for_status()

    async def documents(self, *ids: str) -> list[str]:
        """The paths of all documents that say one of these ids, wherever they are."""
        named = await self._http.post(f"{self._root}:listCollectionIds", json={}, headers=_OWNER)
        collections = [*named.raise_for_status().json().get("collectionIds", []), REVISIONS]
        said = [one.encode() for one in ids]
        return [
            _Answer.FromString(raw).document.name.partition("/documents/")[2]
            for collection in dict.fromkeys(collections)
            async for raw in self._all(collection)
            if any(one in raw for one in said)
        ]

    def _all(self, collection: str) -> AsyncIterable[bytes]:
        """All documents of the collections of this name, wherever these are; as they come, which is soonest."""
        request = _RunQuery(parent=self._root.partition("/v1/")[2])
        request.structured_query.from_.add(collection_id=collection, all_descendants=True)
        ask = self._channel.unary_stream(
            _RUN_QUERY, request_serializer=_RunQuery.SerializeToString, response_deserializer=None
        )
        answers: AsyncIterable[bytes] = ask(request, metadata=[("authorization", "Bearer owner")])
        return answers

    async def objects(self, *ids: str) -> list[str]:
        """The names of all objects that have one of these ids in them."""
        found: list[str] = []
        token = ""
        while True:
            asked: dict[str, str | int] = {"maxResults": PAGE, **({"pageToken": token} if token else {})}
            answer = await self._http.get(f"{self._ports.url('storage')}/storage/v1/b/{BUCKET}/o", params=asked)
            page = answer.raise_for_status().json()
            found += [item["name"] for item in page.get("items", []) if any(one in item["name"] for one in ids)]
            token = page.get("nextPageToken", "")
            if not token:
                return found

    async def put_object(self, name: str, content: bytes, *, created: str | None = None) -> None:
        """Puts an object into the bucket, made at this moment (RFC 3339)."""
        storage = self._ports.url("storage")
        asked = {"uploadType": "media", "name": name}
        (
            await self._http.post(f"{storage}/upload/storage/v1/b/{BUCKET}/o", params=asked, content=content)
        ).raise_for_status()
        if created is not None:
            body = {"bucket": BUCKET, "name": name, "created": created}
            (await self._http.post(f"{storage}/_alta/objects", json=body)).raise_for_status()

    async def notifications(self, action: str, times: int) -> None:
        """What becomes of the next notifications of the bucket."""
        body = {"action": action, "times": times}
        (await self._http.post(f"{self._ports.url('storage')}/_alta/notifications", json=body)).raise_for_status()
