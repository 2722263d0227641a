"""The clients that tests of a door have."""

from tests.functions.http.conftest import address, http, staff

__all__ = ["address", "http", "staff"]
