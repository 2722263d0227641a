"""The queue of a project's reviews: which are meant, and which a reviewer takes next."""

from typing import Annotated

from pydantic import Field

from shared.models.assets import AssetItem, Kind
from shared.models.records import Asked, AskedMoment, Frozen, Id, Moment
from shared.models.review import ReviewState

TAKE_LIMIT = 50
"""Documents that one reviewer takes at once."""


class QueueFilter(Frozen):
    """Which reviews of a project are meant; None is no bound."""

    project_id: str
    state: ReviewState = ReviewState.SUBMITTED
    kind: Kind | None = None
    confidence_below: float | None = None
    """0 to 1, exclusive; what has no confidence is not below any."""
    contributor: str | None = None
    """Who uploaded it."""
    submitted_after: Moment | None = None
    """Inclusive."""
    submitted_before: Moment | None = None
    """Exclusive."""


class Take(Asked):
    """What a reviewer wants to have before them next; the filters are those of the queue."""

    project_id: Id
    count: Annotated[int, Field(ge=1, le=TAKE_LIMIT)] = 1
    kind: Kind | None = None
    confidence_below: Annotated[float | None, Field(gt=0, le=1, examples=[0.8])] = None
    contributor: Id | None = None
    submitted_after: AskedMoment | None = None
    submitted_before: AskedMoment | None = None


class Taken(Frozen):
    """What a reviewer has before them now, the least certain first; empty when nothing is left for them."""

    items: list[AssetItem]


class Submitted(Frozen):
    """What was submitted, in the order it was sent."""

    items: list[AssetItem]
