"""What wakes functions: finished objects and tasks."""

from pydantic import ConfigDict, Field

from shared.models.records import Frozen, Moment


class ObjectFinalized(Frozen):
    """An object is complete in the bucket. Bucket, name and generation are its identity."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    bucket: str
    name: str
    generation: int
    size: int
    content_type: str = Field("application/octet-stream", alias="contentType")
    crc32c: str | None = None
    md5: str | None = Field(None, alias="md5Hash")


class ObjectListed(Frozen):
    """An object as a listing of the bucket tells of it."""

    name: str
    generation: int
    created_at: Moment


class ProgressTick(Frozen):
    """Count this session now."""

    session_id: str


class OperationPoll(Frozen):
    """Look at the long operation of this asset; `attempt` counts the looks and sets the next gap."""

    asset_id: str
    generation: int
    operation: str
    attempt: int = 0
