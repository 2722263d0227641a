"""Everything the two APIs work on, put together once."""

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from pathlib import Path

from emulators.storage.blobs import Blobs
from emulators.storage.buckets import Buckets
from emulators.storage.clock import Clock, utc_now
from emulators.storage.database import Database
from emulators.storage.notifications import NotificationConfigs, Outbox
from emulators.storage.objects import Objects
from emulators.storage.resources import StoredObject
from emulators.storage.resumable import Sessions
from emulators.storage.signers import Signers
from emulators.storage.uploads import Upload, receive


@dataclass(frozen=True)
class Config:
    """How a server is set up. `state` is its folder; `base_url` what links in resources begin with; `pubsub` is
    host:port, None publishes nothing; `clock` is what signatures and sessions are judged by."""

    state: Path
    base_url: str
    project: str
    signers: Signers = field(default_factory=Signers)
    pubsub: str | None = None
    clock: Clock = utc_now


class Storage:
    """The state of one server. Opening it drops what a killed predecessor left unfinished."""

    def __init__(self, config: Config) -> None:
        config.state.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.database = Database(config.state / "storage.sqlite")
        self.blobs = Blobs(config.state)
        self.buckets = Buckets(self.database, config.clock)
        self.notification_configs = NotificationConfigs(self.database)
        self.outbox = Outbox(
            self.database, self.notification_configs, config.clock, config.base_url, enabled=config.pubsub is not None
        )
        self.objects = Objects(self.database, self.blobs, self.buckets, self.outbox, config.clock)
        self.sessions = Sessions(self.database, self.blobs, self.objects, config.clock)
        known = {row["blob"] for row in self.database.execute("SELECT blob FROM objects")}
        self.blobs.sweep(known, self.sessions.expire())

    async def store(self, upload: Upload, chunks: AsyncIterable[bytes]) -> StoredObject:
        """Take the bytes of an upload and make them an object; refused before they come where that is possible."""
        self.objects.check(upload)
        incoming, digests = await receive(self.blobs, upload, chunks)
        return self.objects.create(upload, self.blobs.adopt(incoming.path), digests)
