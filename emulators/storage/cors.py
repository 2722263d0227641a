"""Cross-origin rules of a bucket (https://cloud.google.com/storage/docs/cross-origin)."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emulators.storage.errors import InvalidArgument
from emulators.storage.uploads import Settings


class CorsRule(BaseModel):
    """One entry of a bucket's `cors`. `response_headers` are both those a page may read and those it may send."""

    model_config = ConfigDict(frozen=True)

    origins: tuple[str, ...] = Field((), alias="origin")
    methods: tuple[str, ...] = Field((), alias="method")
    response_headers: tuple[str, ...] = Field((), alias="responseHeader")
    max_age_seconds: int | None = Field(None, alias="maxAgeSeconds")

    def allows(self, origin: str, method: str) -> bool:
        """Whether a page of this origin may use this method."""
        return bool({origin, "*"} & set(self.origins)) and bool({method, "*"} & set(self.methods))

    def allows_headers(self, names: Iterable[str]) -> bool:
        """Whether a page may send these headers."""
        allowed = {name.lower() for name in self.response_headers}
        return "*" in allowed or all(name.lower() in allowed for name in names)

    def origin_header(self, origin: str) -> dict[str, str]:
        """Access-Control-Allow-Origin, and Vary when the answer depends on who asks."""
        return (
            {"Access-Control-Allow-Origin": "*"}
            if "*" in self.origins
            else {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        )


def rules_of(settings: Settings) -> list[CorsRule]:
    """The rules in a bucket's settings, in order. Raises InvalidArgument for a `cors` that is none."""
    given = settings.get("cors") or []
    try:
        return [CorsRule.model_validate(rule) for rule in given] if isinstance(given, list) else []
    except ValidationError as error:
        raise InvalidArgument(f"Invalid CORS configuration: {error}") from None


def answer_headers(rules: Iterable[CorsRule], origin: str | None, method: str) -> dict[str, str]:
    """What an answer to a page of `origin` says: the first rule for origin and method counts; none, then nothing."""
    for rule in rules:
        if origin and rule.allows(origin, method):
            exposed = {"Access-Control-Expose-Headers": ", ".join(rule.response_headers)}
            return rule.origin_header(origin) | (exposed if rule.response_headers else {})
    return {}


def preflight_headers(
    rules: Iterable[CorsRule], origin: str | None, method: str, headers: Iterable[str]
) -> dict[str, str]:
    """What a preflight is answered: nothing when the method or one of the headers is not allowed."""
    wanted = list(headers)
    for rule in rules:
        if origin and rule.allows(origin, method) and rule.allows_headers(wanted):
            allowed = {
                "Access-Control-Allow-Methods": ", ".join(rule.methods),
                "Access-Control-Allow-Headers": ", ".join(wanted or rule.response_headers),
            }
            age = {} if rule.max_age_seconds is None else {"Access-Control-Max-Age": str(rule.max_age_seconds)}
            return rule.origin_header(origin) | {name: value for name, value in allowed.items() if value} | age
    return {}
