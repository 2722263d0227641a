"""How long to wait before another attempt."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.uploader.retry import Backoff, fault_of_response


def answer(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, request=httpx.Request("GET", "https://storage.example.com/x"))


@given(failures=st.integers(1, 10_000))
def test_delays_double_from_a_second_with_jitter_up_to_the_maximum(failures: int) -> None:
    delay = Backoff().delay(failures)
    exponential = 2.0 ** min(failures - 1, 30)
    assert min(exponential, 32.0) <= delay <= min(exponential + 1.0, 32.0)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_google_calls_transient_is_tried_again(status: int) -> None:
    assert fault_of_response(answer(status)) is not None


@pytest.mark.parametrize("status", [200, 201, 304, 308, 400, 401, 403, 404, 410, 412, 422])
def test_any_other_answer_stands(status: int) -> None:
    assert fault_of_response(answer(status)) is None


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for value, least, most in (("7", 7, 7), (soon, 25, 30), ("Mon, 01 Jan 2001 00:00:00 GMT", 0, 0)):
        fault = fault_of_response(answer(429, **{"Retry-After": value}))
        assert fault is not None
        assert fault.retry_after is not None
        assert least <= fault.retry_after <= most


@pytest.mark.parametrize("value", ["soon", "-1", "Mon, 01 Jan 2001 00:00:00"])
def test_a_retry_after_that_cannot_be_read_asks_for_no_time(value: str) -> None:
    fault = fault_of_response(answer(503, **{"Retry-After": value}))
    assert fault is not None
    assert not fault.retry_after
