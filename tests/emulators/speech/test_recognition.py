"""What Speech-to-Text hears, and the shape of its answer."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import pytest
from google.cloud import speech_v2
from google.cloud.speech_v2 import ExplicitDecodingConfig, RecognitionConfig, RecognizeResponse, SpeechAsyncClient

from tests import material
from tests.emulators.engines import seconds, word_error_rate
from tests.emulators.speech.conftest import LOCATION, RECOGNIZER

Encoding = ExplicitDecodingConfig.AudioEncoding
READ = [kind for kind in material.ENCODINGS if kind != "aiff"]


def config(**fields: object) -> RecognitionConfig:
    """A config that lets the audio tell what it is, with more fields or others."""
    usual: dict[str, object] = {"auto_decoding_config": {}, "language_codes": ["en-US"], "model": "long"}
    return RecognitionConfig({**usual, **fields})


async def recognize(
    client: SpeechAsyncClient, content: bytes, how: RecognitionConfig | None = None
) -> RecognizeResponse:
    """What is heard in these bytes."""
    request = speech_v2.RecognizeRequest(recognizer=RECOGNIZER, config=how or config(), content=content)
    return await client.recognize(request=request, timeout=240)


def transcript(results: Iterable[speech_v2.SpeechRecognitionResult]) -> str:
    """All that was said."""
    return " ".join(result.alternatives[0].transcript for result in results)


@pytest.fixture(scope="module")
async def reading(client: SpeechAsyncClient) -> RecognizeResponse:
    """What is heard in the short sample."""
    return await recognize(client, material.sample("austen-reading.flac"))


async def test_the_sample_reading_is_heard_with_at_most_one_word_in_twelve_wrong(reading: RecognizeResponse) -> None:
    rate = word_error_rate(transcript(reading.results), material.expected("austen-reading"))
    print(f"austen-reading: word error rate {rate:.3f}")
    assert rate <= 1 / 12
    assert reading.metadata.total_billed_duration.seconds == 28
    assert reading.metadata.request_id


@pytest.mark.parametrize("kind", READ)
async def test_a_sentence_is_heard_in_every_encoding(client: SpeechAsyncClient, kind: str) -> None:
    answer = await recognize(client, material.sentence(kind))

    assert word_error_rate(transcript(answer.results), material.SENTENCE) <= 0.15
    assert all(result.language_code == "en-US" for result in answer.results)


@pytest.mark.parametrize(
    ("encoding", "rate", "content"),
    [
        (Encoding.LINEAR16, 16_000, material.raw_sentence()),
        (Encoding.LINEAR16, 16_000, material.sentence("wav")),
        (Encoding.OGG_OPUS, 48_000, material.sentence("ogg")),
        (Encoding.WEBM_OPUS, 48_000, material.sentence("webm")),
        (Encoding.M4A_AAC, 44_100, material.sentence("m4a")),
    ],
    ids=["bare samples", "samples with a header", "Opus in Ogg", "Opus in WebM", "AAC in M4A"],
)
async def test_a_sentence_is_heard_when_the_request_names_the_encoding(
    client: SpeechAsyncClient, encoding: Encoding, rate: int, content: bytes
) -> None:
    explicit = {"encoding": encoding, "sample_rate_hertz": rate, "audio_channel_count": 1}
    how = RecognitionConfig(explicit_decoding_config=explicit, language_codes=["en-US"], model="long")
    answer = await recognize(client, content, how)

    assert word_error_rate(transcript(answer.results), material.SENTENCE) <= 0.15


async def test_results_follow_each_other_in_time(reading: RecognizeResponse) -> None:
    ends = [seconds(result.result_end_offset) for result in reading.results]
    assert len(ends) >= 4
    assert all(before < after for before, after in pairwise(ends))
    assert 24 < ends[-1] <= 27.2


async def test_words_have_times_when_asked_for(client: SpeechAsyncClient) -> None:
    answer = await recognize(client, material.sentence(), config(features={"enable_word_time_offsets": True}))

    for result in answer.results:
        words = result.alternatives[0].words
        assert " ".join(word.word for word in words) == result.alternatives[0].transcript
        for word, after in pairwise(words):
            assert seconds(word.start_offset) < seconds(word.end_offset) <= seconds(after.start_offset)
        assert words[-1].end_offset == result.result_end_offset
    plain = await recognize(client, material.sentence())
    assert not plain.results[0].alternatives[0].words


async def test_punctuation_comes_only_when_asked_for(client: SpeechAsyncClient) -> None:
    plain = await recognize(client, material.sentence())
    punctuated = await recognize(client, material.sentence(), config(features={"enable_automatic_punctuation": True}))

    assert not transcript(plain.results).endswith(".")
    assert transcript(punctuated.results).endswith(".")


async def test_the_confidence_is_left_unset_since_the_engine_has_none(client: SpeechAsyncClient) -> None:
    answer = await recognize(client, material.sentence())

    assert [result.alternatives[0].confidence for result in answer.results] == [0.0] * len(answer.results)


@pytest.mark.parametrize("content", [material.silent(5), material.hissing(5)], ids=["silence", "room noise"])
async def test_a_recording_in_which_nothing_is_said_has_no_results_and_is_billed(
    client: SpeechAsyncClient, content: bytes
) -> None:
    answer = await recognize(client, content)

    assert not answer.results
    assert answer.metadata.total_billed_duration.seconds == 5


@pytest.mark.parametrize(
    ("features", "channels"),
    [({}, {0}), ({"multi_channel_mode": "SEPARATE_RECOGNITION_PER_CHANNEL"}, {1, 2})],
    ids=["the first channel alone", "each channel apart"],
)
async def test_channels_are_heard_as_the_request_wants(
    client: SpeechAsyncClient, features: Mapping[str, str], channels: set[int]
) -> None:
    answer = await recognize(client, material.two_voices(), config(features=features))

    assert {result.channel_tag for result in answer.results} == channels
    for channel in channels:
        said = transcript(result for result in answer.results if result.channel_tag == channel)
        assert word_error_rate(said, material.SENTENCE) <= 0.15


async def test_a_created_recognizer_brings_its_config(client: SpeechAsyncClient) -> None:
    request = speech_v2.CreateRecognizerRequest(
        parent=LOCATION,
        recognizer_id="dictation",
        recognizer=speech_v2.Recognizer(
            default_recognition_config=config(features={"enable_automatic_punctuation": True})
        ),
    )
    operation = await client.create_recognizer(request=request)
    created = await operation.result(timeout=30)  # type: ignore[no-untyped-call]  # not annotated in google-api-core
    assert created.name == f"{LOCATION}/recognizers/dictation"

    answer = await client.recognize(
        request=speech_v2.RecognizeRequest(
            recognizer=created.name, config=RecognitionConfig(language_codes=["en-GB"]), content=material.sentence()
        ),
        timeout=240,
    )
    assert transcript(answer.results).endswith(".")
    assert answer.results[0].language_code == "en-GB"
    assert (await client.get_recognizer(name=created.name)).state == speech_v2.Recognizer.State.ACTIVE
    assert created.name in [item.name async for item in await client.list_recognizers(parent=LOCATION)]
