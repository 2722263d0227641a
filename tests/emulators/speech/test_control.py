"""The control door of Speech-to-Text: counters, faults, answers without the engine."""

import hashlib

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.speech_v2 import SpeechAsyncClient

from tests import material
from tests.emulators.engines import Running
from tests.emulators.speech.conftest import RECOGNIZER
from tests.emulators.speech.test_recognition import recognize, transcript


async def test_each_recording_is_counted_by_its_bytes(client: SpeechAsyncClient, recognizer: Running) -> None:
    content = material.silent(1.25)
    await recognize(client, content)

    counters = recognizer.counters()
    assert counters["sha256"][hashlib.sha256(content).hexdigest()] == 1
    assert counters["calls"]["Recognize"] >= 1


async def test_a_fault_comes_once_and_then_no_more(client: SpeechAsyncClient, recognizer: Running) -> None:
    fault = {"method": "GetRecognizer", "code": "DEADLINE_EXCEEDED"}
    recognizer.control.post("/_alta/faults", json=fault).raise_for_status()

    with pytest.raises(DeadlineExceeded):
        await client.get_recognizer(name=RECOGNIZER, retry=None)
    assert (await client.get_recognizer(name=RECOGNIZER, retry=None)).name == RECOGNIZER


async def test_instant_mode_answers_without_listening(client: SpeechAsyncClient, recognizer: Running) -> None:
    recognizer.control.post("/_alta/instant", json={"on": True}).raise_for_status()
    try:
        answer = await recognize(client, b"anything")
    finally:
        recognizer.control.post("/_alta/instant", json={"on": False}).raise_for_status()

    assert transcript(answer.results) == "Instant"
