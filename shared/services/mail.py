"""Letters are asked for by requests, and written and sent by the `mail` function.

A request only names the letter. Whether the address is known, and the token that goes into the letter, is found out
when it is written: so a request takes the same time for any address, and no token waits in a queue.
"""

from shared.cloud import tasks
from shared.models.mail import Letter, LetterKind

QUEUE = "mail"


async def ask_for(kind: LetterKind, to: str, *, invitation_id: str | None = None) -> None:
    """Queues a letter; the queue tries again until it is sent."""
    await tasks.enqueue(QUEUE, Letter(kind=kind, to=to, invitation_id=invitation_id))
