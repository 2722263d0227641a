"""What Speech-to-Text refuses, and in which words."""

import asyncio

import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound
from google.cloud import speech_v2
from google.cloud.speech_v2 import ExplicitDecodingConfig, RecognitionConfig, SpeechAsyncClient

from tests import material
from tests.emulators.engines import BUCKET, Bucket
from tests.emulators.speech.conftest import LOCATION, RECOGNIZER
from tests.emulators.speech.test_recognition import config, recognize

ENCODING = "Audio data does not appear to be in a supported encoding"


async def test_sixty_seconds_are_heard_and_a_little_more_is_not(client: SpeechAsyncClient) -> None:
    answer = await recognize(client, material.silent(60))
    assert answer.metadata.total_billed_duration.seconds == 60

    for kind in ("wav", "amr"):  # a header that tells the length, and one that does not
        with pytest.raises(InvalidArgument) as caught:
            await recognize(client, material.silent(60.5, kind))
        assert caught.value.message == "Audio can be of a maximum of 60 seconds."


async def test_more_than_ten_megabytes_are_refused(client: SpeechAsyncClient) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await recognize(client, bytes((10 << 20) + 1))

    assert caught.value.message == "Request audio can be a maximum of 10485760 bytes."


@pytest.mark.parametrize(
    "content",
    [material.text_named_png(), material.picture("png"), material.sentence("aiff"), material.sentence("m4a")[:2000]],
    ids=["text", "picture", "AIFF", "truncated M4A"],
)
async def test_what_is_no_audio_of_a_supported_kind_is_refused(client: SpeechAsyncClient, content: bytes) -> None:
    with pytest.raises(InvalidArgument, match=ENCODING):
        await recognize(client, content)


async def test_audio_that_is_not_in_the_named_encoding_is_refused(client: SpeechAsyncClient) -> None:
    explicit = ExplicitDecodingConfig(encoding="FLAC", sample_rate_hertz=16_000, audio_channel_count=1)
    how = RecognitionConfig(explicit_decoding_config=explicit, language_codes=["en-US"])
    with pytest.raises(InvalidArgument, match=ENCODING):
        await recognize(client, material.sentence("ogg"), how)


async def test_an_empty_file_is_refused(client: SpeechAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="Provided file is empty"):
        await recognize(client, material.empty())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"language_codes": ["de-DE"]}, 'The language "de-DE" is not supported by the model "long"'),
        ({"language_codes": []}, "At least one language code must be specified"),
        ({"model": "unheard"}, 'The model "unheard" does not exist in the location named "global"'),
    ],
)
async def test_a_config_that_cannot_be_met_is_refused(
    client: SpeechAsyncClient, wrong: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await recognize(client, material.sentence(), config(**wrong))


@pytest.mark.parametrize(
    ("explicit", "message"),
    [
        ({"encoding": "LINEAR16", "audio_channel_count": 1}, "Invalid sample rate hertz value: 0"),
        ({"encoding": "LINEAR16", "sample_rate_hertz": 16_000}, "Invalid audio channel count: 0"),
        ({}, "The encoding of the audio must be specified"),
    ],
)
async def test_an_explicit_decoding_config_must_be_complete(
    client: SpeechAsyncClient, explicit: dict[str, object], message: str
) -> None:
    how = RecognitionConfig(explicit_decoding_config=explicit, language_codes=["en-US"])
    with pytest.raises(InvalidArgument, match=message):
        await recognize(client, material.raw_sentence(), how)


async def test_a_config_without_decoding_is_refused(client: SpeechAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="decoding_config"):
        await recognize(client, material.sentence(), RecognitionConfig(language_codes=["en-US"]))


async def test_a_request_without_audio_is_refused(client: SpeechAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="content and uri"):
        await client.recognize(request=speech_v2.RecognizeRequest(recognizer=RECOGNIZER, config=config()))


async def test_a_recording_in_the_bucket_must_be_there_and_short(client: SpeechAsyncClient, objects: Bucket) -> None:
    uri = objects.put("limits/long.wav", material.silent(61), "audio/wav")
    request = speech_v2.RecognizeRequest(recognizer=RECOGNIZER, config=config(), uri=uri)
    with pytest.raises(InvalidArgument, match="maximum of 60 seconds"):
        await client.recognize(request=request)

    request.uri = f"gs://{BUCKET}/limits/missing.wav"
    with pytest.raises(NotFound):
        await client.recognize(request=request)


@pytest.mark.parametrize("name", ["recognizers/_", f"{LOCATION}/recognizers/a/b"])
async def test_a_recognizer_name_of_another_form_is_refused(client: SpeechAsyncClient, name: str) -> None:
    request = speech_v2.RecognizeRequest(recognizer=name, config=config(), content=material.sentence())
    with pytest.raises(InvalidArgument, match="Invalid resource name"):
        await client.recognize(request=request)


async def test_a_recognizer_that_was_not_created_is_not_found_and_one_that_was_is_not_created_again(
    client: SpeechAsyncClient,
) -> None:
    with pytest.raises(NotFound):
        await client.get_recognizer(name=f"{LOCATION}/recognizers/nobody")

    twice = speech_v2.CreateRecognizerRequest(
        parent=LOCATION, recognizer_id="twice", recognizer=speech_v2.Recognizer(default_recognition_config=config())
    )
    await client.create_recognizer(request=twice)
    with pytest.raises(AlreadyExists):
        await client.create_recognizer(request=twice)


async def test_calls_are_answered_while_the_engine_listens(client: SpeechAsyncClient) -> None:
    listening = asyncio.create_task(recognize(client, material.sentence()))
    answers = 0
    while not listening.done():
        await client.get_recognizer(name=RECOGNIZER, timeout=5)
        answers += 1
        await asyncio.sleep(0.05)

    assert answers >= 3
    assert (await listening).results
