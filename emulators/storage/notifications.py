"""Bucket notifications: which events of which objects go to which topic, and the outbox they wait in.

An event is written in the same transaction as the change it tells of, so that neither a Pub/Sub that is away nor a
killed server loses one (https://cloud.google.com/storage/docs/pubsub-notifications).
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from emulators.storage.clock import Clock, rfc3339
from emulators.storage.database import Database
from emulators.storage.errors import InvalidArgument, NoSuchNotification
from emulators.storage.notification_faults import HELD, NotificationFaults
from emulators.storage.resources import StoredObject
from emulators.storage.uploads import Settings

TOPIC_PREFIX = "//pubsub.googleapis.com/"


class EventType(StrEnum):
    """What can happen to an object."""

    FINALIZE = "OBJECT_FINALIZE"
    DELETE = "OBJECT_DELETE"
    ARCHIVE = "OBJECT_ARCHIVE"
    METADATA_UPDATE = "OBJECT_METADATA_UPDATE"


class PayloadFormat(StrEnum):
    """What a message's data holds: the object resource, or nothing."""

    JSON = "JSON_API_V1"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `replaced` is the generation overwritten by it, `replaced_by` the one that overwrote."""

    kind: EventType
    subject: StoredObject
    replaced: int | None = None
    replaced_by: int | None = None


@dataclass(frozen=True, slots=True)
class NotificationConfig:
    """One notification configuration of a bucket; `settings` holds it as it was written."""

    bucket: str
    id: int
    settings: Settings

    @property
    def topic(self) -> str:
        """`projects/P/topics/T`."""
        return str(self.settings["topic"]).removeprefix(TOPIC_PREFIX)

    def wants(self, event: Event) -> bool:
        """Whether this event is published here."""
        types = self.settings.get("event_types")
        prefix = self.settings.get("object_name_prefix") or ""
        wanted = not isinstance(types, list) or not types or event.kind in types
        return wanted and event.subject.name.startswith(str(prefix))

    def attributes(self, event: Event, time_of: str) -> dict[str, str]:
        """The message's attributes."""
        custom = self.settings.get("custom_attributes")
        named: dict[str, str | None] = {
            "notificationConfig": f"projects/_/buckets/{self.bucket}/notificationConfigs/{self.id}",
            "eventType": event.kind,
            "payloadFormat": str(self.settings["payload_format"]),
            "bucketId": self.bucket,
            "objectId": event.subject.name,
            "objectGeneration": str(event.subject.generation),
            "eventTime": time_of,
            "overwroteGeneration": str(event.replaced) if event.replaced else None,
            "overwrittenByGeneration": str(event.replaced_by) if event.replaced_by else None,
        }
        own = {name: str(value) for name, value in custom.items()} if isinstance(custom, dict) else {}
        return own | {name: value for name, value in named.items() if value is not None}

    def resource(self, base_url: str) -> Settings:
        """The notification resource (https://cloud.google.com/storage/docs/json_api/v1/notifications#resource)."""
        return self.settings | {
            "kind": "storage#notification",
            "id": str(self.id),
            "etag": str(self.id),
            "selfLink": f"{base_url}/storage/v1/b/{self.bucket}/notificationConfigs/{self.id}",
        }


class NotificationConfigs:
    """The notification configurations of all buckets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, bucket: str, given: Settings) -> NotificationConfig:
        """A new configuration. Raises InvalidArgument for a topic or event type that cannot be."""
        settings = _checked(given)
        row = self._database.row("SELECT max(id) AS last FROM notification_configs WHERE bucket = ?", bucket)
        number = ((row and row["last"]) or 0) + 1
        self._database.execute(
            "INSERT INTO notification_configs VALUES (?, ?, ?)", bucket, number, json.dumps(settings)
        )
        return NotificationConfig(bucket, number, settings)

    def list(self, bucket: str) -> list[NotificationConfig]:
        """The configurations of a bucket."""
        rows = self._database.execute("SELECT * FROM notification_configs WHERE bucket = ? ORDER BY id", bucket)
        return [NotificationConfig(row["bucket"], row["id"], json.loads(row["settings"])) for row in rows]

    def get(self, bucket: str, number: str) -> NotificationConfig:
        """One configuration. Raises NoSuchNotification."""
        for config in self.list(bucket):
            if str(config.id) == number:
                return config
        raise NoSuchNotification

    def delete(self, bucket: str, number: str) -> None:
        """Drop one configuration. Raises NoSuchNotification."""
        config = self.get(bucket, number)
        self._database.execute("DELETE FROM notification_configs WHERE bucket = ? AND id = ?", bucket, config.id)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the outbox."""

    id: int
    topic: str
    attributes: dict[str, str]
    data: bytes


class Outbox:
    """Messages that wait to be published. Without a Pub/Sub (`enabled` False) nothing is put in."""

    def __init__(
        self, database: Database, configs: NotificationConfigs, clock: Clock, base_url: str, *, enabled: bool
    ) -> None:
        self.faults = NotificationFaults()
        self.counters: Counter[str] = Counter()
        self.on_filled: Callable[[], None] = lambda: None
        self._database = database
        self._configs = configs
        self._clock = clock
        self._base_url = base_url
        self._enabled = enabled
        database.execute("UPDATE outbox SET ready = 0 WHERE ready = ?", HELD)
        row = database.row("SELECT max(position) AS last FROM outbox")
        self._position = ((row and row["last"]) or 0) + 1

    def put(self, event: Event) -> None:
        """Add an event's messages; called inside the transaction that changes the object."""
        if not self._enabled:
            return
        for config in self._configs.list(event.subject.bucket):
            if config.wants(event):
                self._put(config, event)

    def waiting(self, limit: int) -> dict[str, list[Waiting]]:
        """Up to `limit` messages of every topic that may go now, in order."""
        now = time.time()
        topics = self._database.execute("SELECT DISTINCT topic FROM outbox WHERE ready <= ?", now).fetchall()
        return {row["topic"]: self._of_topic(row["topic"], now, limit) for row in topics}

    def remove(self, messages: list[Waiting]) -> None:
        """Forget published messages."""
        with self._database.transaction():
            for message in messages:
                self._database.execute("DELETE FROM outbox WHERE id = ?", message.id)
        self.counters["published"] += len(messages)

    def pending(self) -> int:
        """How many messages wait."""
        row = self._database.row("SELECT count(*) AS number FROM outbox")
        return int(row["number"]) if row else 0

    def _of_topic(self, topic: str, now: float, limit: int) -> list[Waiting]:
        rows = self._database.execute(
            "SELECT * FROM outbox WHERE topic = ? AND ready <= ? ORDER BY position, id LIMIT ?", topic, now, limit
        )
        return [Waiting(row["id"], topic, json.loads(row["attributes"]), row["data"]) for row in rows]

    def _put(self, config: NotificationConfig, event: Event) -> None:
        attributes = json.dumps(config.attributes(event, rfc3339(self._clock())))
        wants_data = config.settings["payload_format"] == PayloadFormat.JSON
        data = json.dumps(event.subject.resource(self._base_url)).encode() if wants_data else b""
        fate = self.faults.next_fate()
        self.counters[fate.name] += 1
        for _ in range(fate.copies):
            self._database.execute(
                "INSERT INTO outbox (position, ready, topic, attributes, data) VALUES (?, ?, ?, ?, ?)",
                self._position + fate.shift, fate.ready, config.topic, attributes, data,
            )  # fmt: skip
        self._position += 1
        if fate.releases:
            self._database.execute("UPDATE outbox SET ready = 0 WHERE ready = ?", HELD)
        self.on_filled()


def _checked(given: Settings) -> Settings:
    topic = given.get("topic")
    parts = topic.removeprefix(TOPIC_PREFIX).split("/") if isinstance(topic, str) else []
    if len(parts) != 4 or (parts[0], parts[2]) != ("projects", "topics"):
        raise InvalidArgument(f"Invalid topic: {topic}. It is {TOPIC_PREFIX}projects/PROJECT/topics/TOPIC.")
    types = given.get("event_types") or []
    if not isinstance(types, list) or any(kind not in list(EventType) for kind in types):
        raise InvalidArgument(f"Invalid event types: {types}")
    payload = given.get("payload_format", PayloadFormat.JSON)
    if payload not in list(PayloadFormat):
        raise InvalidArgument(f"Invalid payload format: {payload}")
    return given | {"payload_format": payload}
