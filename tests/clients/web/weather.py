"""The storage as the console meets it: with faults, and seen from behind."""

from emulators.state import BUCKET
from shared.models.identity import Company
from tests import loopback

SIZE = 40 << 20
"""Bytes of a large file: five chunks."""


class Weather:
    """The storage, as it is to one company: faults that meet nobody else, and what it holds."""

    def __init__(self, url: str, company: Company) -> None:
        self._http = loopback.blocking(url, timeout=30)
        self._company = company.id

    def fault(self, method: str, *, status: int | None = None, times: int = 1, after_bytes: int = 0) -> None:
        """Breaks the next requests: see emulators/storage/README.md."""
        match = {"method": method, "path_prefix": f"/{BUCKET}/files/{self._company}/"}
        fault = {"match": match, "status": status, "times": times, "after_bytes": after_bytes}
        self._http.post("/_alta/faults", json=fault).raise_for_status()

    def clear(self) -> None:
        """Forgets all faults."""
        self._http.delete("/_alta/faults").raise_for_status()

    def held(self, session_uri: str) -> int:
        """The bytes that the storage holds of a resumable upload."""
        answer = self._http.put(session_uri, headers={"Content-Range": f"bytes */{SIZE}"})
        assert answer.status_code == 308
        return _held(answer.headers.get("Range", ""))

    def expired(self, url: str) -> bool:
        """Whether a signed address is refused as expired."""
        return "ExpiredToken" in self._http.put(url).text

    def md5s(self) -> set[str]:
        """The MD5 of every object."""
        listed = self._http.get(f"/storage/v1/b/{BUCKET}/o", params={"prefix": f"files/{self._company}/"}).json()
        return {one["md5Hash"] for one in listed.get("items", [])}

    def close(self) -> None:
        self._http.close()


def _held(range_header: str) -> int:
    return int(range_header.rpartition("-")[2]) + 1 if range_header else 0
