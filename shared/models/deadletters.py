"""Dead letters: events that were given up on."""

from shared.models.events import ObjectFinalized
from shared.models.records import Frozen, Moment, Record


class DeadLetter(Record):
    """An object whose event failed too often; kept until an admin replays it."""

    company_id: str | None
    project_id: str | None
    asset_id: str | None
    event: ObjectFinalized
    replayed_at: Moment | None = None
    replayed_by: str | None = None


class DeadLetterView(Frozen):
    """A dead letter as admins see it."""

    id: str
    company_id: str | None
    project_id: str | None
    asset_id: str | None
    object_name: str
    generation: int
    created_at: Moment
    replayed_at: Moment | None
    replayed_by: str | None
