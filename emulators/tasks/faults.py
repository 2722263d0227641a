"""Faults that a test can ask for. They spoil dispatches, never what is stored."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Faults(BaseModel):
    """What happens to coming dispatches, of any queue. Each count is used up by one dispatch."""

    model_config = ConfigDict(extra="forbid")

    duplicate: Annotated[int, Field(ge=0, description="Dispatches that the worker receives twice at once.")] = 0
    drop: Annotated[int, Field(ge=0, description="Dispatches whose answer is lost: done, but retried.")] = 0
    delay: Annotated[int, Field(ge=0, description="Dispatches that are held back by `delay_seconds`.")] = 0
    delay_seconds: Annotated[float, Field(ge=0)] = 1
    deadline_seconds: Annotated[
        float | None, Field(gt=0, description="Every dispatch deadline while set; real ones are at least 15 s.")
    ] = None

    def take_duplicate(self) -> bool:
        """Whether this dispatch is sent twice."""
        taken, self.duplicate = self.duplicate > 0, max(self.duplicate - 1, 0)
        return taken

    def take_drop(self) -> bool:
        """Whether the answer to this dispatch is lost."""
        taken, self.drop = self.drop > 0, max(self.drop - 1, 0)
        return taken

    def take_delay(self) -> float:
        """Seconds that this dispatch is held back."""
        taken, self.delay = self.delay > 0, max(self.delay - 1, 0)
        return self.delay_seconds if taken else 0
