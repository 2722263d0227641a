"""The clients that tests of a door have."""

from tests.functions.http.conftest import http, staff

__all__ = ["http", "staff"]
