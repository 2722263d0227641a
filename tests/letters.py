"""The platform's mail as its readers see it: out of the local cloud's mail sink."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from tests import loopback
from tests.conftest import Cloud
from tests.emulators.waiting import until


@dataclass(frozen=True)
class Letter:
    """A message that arrived."""

    subject: str
    text: str
    html: str
    link: str

    @property
    def token(self) -> str:
        """The token in its link."""
        return urlsplit(self.link).fragment.removeprefix("token=")


async def letter_to(cloud: Cloud, address: str, subject: str, *, number: int = 1) -> Letter:
    """The `number`th letter to this address whose subject begins so, as soon as it is there."""
    found: list[str] = []
    async with loopback.client(cloud.ports.url("mail")) as mail:

        async def has_arrived() -> bool:
            items = (await mail.get("/messages", params={"to": address})).json()["items"]
            found[:] = [item["id"] for item in reversed(items) if item["subject"].startswith(subject)]
            return len(found) >= number

        await until(has_arrived)
        message = (await mail.get(f"/messages/{found[number - 1]}")).json()
    links: list[str] = message["links"]
    return Letter(message["subject"], message["text"], message["html"], links[0] if links else "")
