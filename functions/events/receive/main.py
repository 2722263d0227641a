"""Takes in a plain file when its object is complete.

Permanent: a size or checksum that is not the promised one. Retried: a storage or database that is away.
"""

from shared.models.events import ObjectFinalized
from shared.services import intake
from shared.web.events import event_function


async def receive(event: ObjectFinalized) -> None:
    """Records that the file has come; one read and one write."""
    await intake.take_in(event, intake.keep)


main = event_function("receive", receive)
