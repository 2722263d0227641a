"""The samples are what their README says, and can be made anew."""

from pathlib import Path

import av
import pytest
from PIL import Image

from samples.make import AUSTEN, DICKENS, DPI, LETTER, REPORT, STATIONS
from samples.paper import printed, scanned
from tests import material


def length(name: str) -> float:
    """Seconds of a recording."""
    with av.open(str(material.SAMPLES / name)) as container:
        assert container.duration
        return container.duration / av.time_base


def test_one_recording_is_shorter_and_one_longer_than_synchronous_recognition_takes() -> None:
    assert length("austen-reading.flac") < 60
    assert 60 < length("two-readings.ogg") < 120


@pytest.mark.parametrize("path", sorted(material.SAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_sample_is_small(path: Path) -> None:
    assert 0 < path.stat().st_size < 700_000


def test_the_letter_can_be_made_anew() -> None:
    with Image.open(material.SAMPLES / "letter.png") as committed:
        made = scanned(printed(LETTER, DPI), tilt=0.8, seed=1)
        assert committed.convert("RGB").tobytes() == made.convert("RGB").tobytes()


def test_what_is_expected_is_what_the_samples_are_made_of() -> None:
    assert material.expected("letter") == LETTER
    assert material.expected("survey-report") == "".join(REPORT)
    assert material.expected("austen-reading") == AUSTEN
    assert material.expected("two-readings") == DICKENS + AUSTEN
    assert material.sample("stations.csv").decode() == STATIONS
