"""What happened to assets as whole numbers that can be added up and taken off: the arithmetic of roll-ups."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate

from shared.models.analytics import DURATION_BOUNDS, MILLION, Measured, Percentiles, Tally
from shared.models.assets import AssetState
from shared.models.review import ReviewState

UPLOADED_BY = "uploaded_by_"
DECIDED_BY = "decided_by_"
PEOPLE_IN_AN_HOUR = 150
"""People whom one hour of a project names; one write can add to 500 fields, and there are two for each and the rest."""


def uploads(asset: Measured) -> Tally:
    """What the arrival of an asset counts as."""
    if not asset.uploaded:
        return Tally()
    return Tally({f"{asset.kind}_uploaded": 1, "bytes_uploaded": asset.uploaded_bytes})


def results(asset: Measured) -> Tally:
    """What the end of a recognition counts as."""
    if asset.state is AssetState.FAILED:
        return Tally({f"{asset.kind}_failed": 1})
    if asset.state is not AssetState.PROCESSED:
        return Tally()
    tally = Tally({f"{asset.kind}_processed": 1})
    if asset.twin_of is None:  # what shares the result of another cost no recognition
        tally += Tally(pages=asset.pages or 0, milliseconds=round((asset.duration_seconds or 0) * 1000))
    if asset.confidence is not None:
        tally[f"{asset.kind}_confident"] = 1
        tally[f"{asset.kind}_confidence"] = round(asset.confidence * MILLION)
    return tally + _duration("text", asset.uploaded_at, asset.processed_at)


def decisions(asset: Measured) -> Tally:
    """What the decision of a review counts as."""
    review = asset.review
    if review.state not in (ReviewState.APPROVED, ReviewState.REJECTED):
        return Tally()
    tally = Tally({str(review.state): 1})
    for name, rate in (("character", asset.character_error_rate), ("word", asset.word_error_rate)):
        if rate is not None:
            tally[f"{name}_measured"] = 1
            tally[f"{name}_errors"] = round(rate * MILLION)
    return tally + _duration("turnaround", review.submitted_at, review.decided_at)


def deletions(asset: Measured) -> Tally:
    """What a deletion counts as."""
    return Tally(bytes_deleted=asset.uploaded_bytes)


def _duration(name: str, began: datetime | None, ended: datetime | None) -> Tally:
    if began is None or ended is None:
        return Tally()
    seconds = max(0.0, (ended - began).total_seconds())
    return Tally({f"{name}_{bisect_left(DURATION_BOUNDS, seconds)}": 1})


def percentiles(tally: Mapping[str, int], name: str) -> Percentiles | None:
    """The percentiles of the durations counted under this name; None when there are none."""
    steps = [tally.get(f"{name}_{step}", 0) for step in range(len(DURATION_BOUNDS) + 1)]
    if sum(steps) <= 0:
        return None
    return Percentiles(p50=_percentile(steps, 0.5), p90=_percentile(steps, 0.9), p99=_percentile(steps, 0.99))


def _percentile(steps: list[int], part: float) -> float:
    """Interpolated inside its step; in the last one, which has no end, its beginning."""
    rank = math.ceil(part * sum(steps))
    reached = list(accumulate(steps))
    step = bisect_left(reached, rank)
    if step == len(DURATION_BOUNDS):
        return float(DURATION_BOUNDS[-1])
    lower = DURATION_BOUNDS[step - 1] if step else 0
    inside = 1 - (reached[step] - rank) / steps[step]
    return round(lower + (DURATION_BOUNDS[step] - lower) * inside, 3)


def of_people(people: Mapping[str, Tally]) -> Tally:
    """How much each person uploaded and decided, as measures of the hour; the most active, if they are too many."""
    kept = sorted(people, key=lambda user_id: (-people[user_id].total(), user_id))[:PEOPLE_IN_AN_HOUR]
    tally = Tally()
    for user_id in kept:
        tally[UPLOADED_BY + user_id] = uploaded(people[user_id])
        tally[DECIDED_BY + user_id] = people[user_id]["approved"] + people[user_id]["rejected"]
    return +tally


def uploaded(tally: Mapping[str, int]) -> int:
    """Files that came, of all kinds."""
    return sum(count for measure, count in tally.items() if measure.endswith("_uploaded") and measure[:5] != "bytes")


def without_people(tally: Tally) -> Tally:
    """The measures that name nobody."""
    return Tally({name: n for name, n in tally.items() if not name.startswith((UPLOADED_BY, DECIDED_BY))})


def difference(wanted: Mapping[str, int], stored: Mapping[str, int]) -> Tally:
    """What has to be added to `stored` to make it `wanted`; without the measures that are equal."""
    changed = {name: wanted.get(name, 0) - stored.get(name, 0) for name in wanted.keys() | stored.keys()}
    return Tally({name: amount for name, amount in changed.items() if amount})
