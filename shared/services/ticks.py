"""Ticks of sessions: put into the queue by whoever changes what a session counts, and by each tick for the next one.

A tick is named by its session and the second it is due, rounded up to its gap, so that any number of requests make one.
"""

import math
from datetime import datetime

from shared.cloud import tasks
from shared.models.events import ProgressTick
from shared.models.records import now

QUEUE = "progress"
SHORTEST_GAP = 1
"""Seconds between the ticks of a young session."""


async def soon(session_id: str) -> None:
    """Has the session counted within a second or two."""
    await after(session_id, SHORTEST_GAP)


async def after(session_id: str, gap: int) -> None:
    """Has the session counted when so many seconds are over, at a full gap."""
    due = math.ceil((now().timestamp() + gap) / gap) * gap
    at = datetime.fromtimestamp(due, tz=now().tzinfo)
    await tasks.enqueue(QUEUE, ProgressTick(session_id=session_id), name=f"{session_id}:{due}", at=at)
