"""Buckets and objects as records, and as the resources of the JSON API."""

import base64
import json
import sqlite3
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import JsonValue

from emulators.storage.uploads import Settings


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket: `settings` holds what its owner wrote, under the names of the JSON API."""

    name: str
    metageneration: int
    created: str
    updated: str
    settings: Settings

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> "Bucket":
        """From its row in `buckets`."""
        return cls(row["name"], row["metageneration"], row["created"], row["updated"], json.loads(row["settings"]))

    @property
    def generation(self) -> int:
        """A bucket has one generation only; what preconditions look at is its metageneration."""
        return 1

    @property
    def versioned(self) -> bool:
        """Whether overwritten and deleted objects stay as noncurrent versions."""
        versioning = self.settings.get("versioning")
        return isinstance(versioning, dict) and versioning.get("enabled") is True

    def resource(self, base_url: str) -> dict[str, JsonValue]:
        """The bucket resource (https://cloud.google.com/storage/docs/json_api/v1/buckets#resource)."""
        defaults: dict[str, JsonValue] = {
            "location": "US",
            "locationType": "multi-region",
            "storageClass": "STANDARD",
            "projectNumber": "0",
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "inherited",
            },
        }
        return defaults | self.settings | {
            "kind": "storage#bucket",
            "id": self.name,
            "selfLink": f"{base_url}/storage/v1/b/{self.name}",
            "name": self.name,
            "timeCreated": self.created,
            "updated": self.updated,
            "metageneration": str(self.metageneration),
            "etag": _etag(0, self.metageneration),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of an object. `deleted` is None for the live one; `components` counts the parts of a composite."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    blob: str
    size: int
    crc32c: str
    md5: str | None
    components: int | None
    settings: Settings
    created: str
    updated: str
    deleted: str | None

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> "StoredObject":
        """From its row in `objects`."""
        values = {name: row[name] for name in cls.__slots__}
        return cls(**values | {"settings": json.loads(row["settings"])})

    @property
    def etag(self) -> str:
        """The entity tag of this version and its metadata."""
        return _etag(self.generation, self.metageneration)

    @property
    def hashes(self) -> str:
        """The value of x-goog-hash."""
        return f"crc32c={self.crc32c}" + (f",md5={self.md5}" if self.md5 else "")

    def text(self, name: str) -> str | None:
        """A setting that is a string, such as `contentType`."""
        value = self.settings.get(name)
        return value if isinstance(value, str) and value else None

    def metadata(self) -> dict[str, str]:
        """The custom metadata."""
        found = self.settings.get("metadata")
        return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}

    def resource(self, base_url: str) -> dict[str, JsonValue]:
        """The object resource (https://cloud.google.com/storage/docs/json_api/v1/objects#resource)."""
        path = f"storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        optional: dict[str, JsonValue] = {
            "md5Hash": self.md5,
            "componentCount": self.components,
            "timeDeleted": self.deleted,
        }
        return {"storageClass": "STANDARD"} | self.settings | {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base_url}/{path}",
            "mediaLink": f"{base_url}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "size": str(self.size),
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
        } | {name: value for name, value in optional.items() if value is not None}  # fmt: skip


def _etag(generation: int, metageneration: int) -> str:
    return base64.b64encode(f"{generation}/{metageneration}".encode()).decode()
