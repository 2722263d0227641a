"""Batches: long recordings from the bucket, transcripts in the bucket or in the answer, through restarts."""

import json
from pathlib import Path

import pytest
from google.api_core.exceptions import InvalidArgument
from google.api_core.operation_async import AsyncOperation
from google.cloud.speech_v2 import BatchRecognizeRequest, BatchRecognizeResponse, OperationMetadata, SpeechAsyncClient

from tests import material
from tests.emulators.engines import BUCKET, Bucket, engine, seconds, word_error_rate
from tests.emulators.speech.conftest import RECOGNIZER, connected
from tests.emulators.speech.test_recognition import config, transcript
from tests.emulators.waiting import until

LIMIT = 280.0
"""Seconds that a batch may take here."""

INLINE: dict[str, object] = {"inline_response_config": {}}


def request(uris: list[str], output: dict[str, object], **fields: object) -> BatchRecognizeRequest:
    """A batch over these recordings."""
    files = [{"uri": uri} for uri in uris]
    return BatchRecognizeRequest(
        recognizer=RECOGNIZER, config=config(**fields), files=files, recognition_output_config=output
    )


async def result(operation: AsyncOperation) -> BatchRecognizeResponse:
    """The response of an operation, waited for as Google's client does."""
    response: BatchRecognizeResponse = await operation.result(  # type: ignore[no-untyped-call]  # not annotated
        timeout=LIMIT
    )
    return response


@pytest.fixture(scope="module")
def short(objects: Bucket) -> str:
    """The address of one spoken sentence."""
    return objects.put("batch/sentence.flac", material.sentence(), "audio/flac")


async def test_a_recording_of_more_than_a_minute_is_heard_with_at_most_one_word_in_eight_wrong(
    client: SpeechAsyncClient, objects: Bucket
) -> None:
    uri = objects.put("batch/two-readings.ogg", material.sample("two-readings.ogg"), "audio/ogg")

    operation = await client.batch_recognize(request=request([uri], INLINE))
    answer = await result(operation)

    found = answer.results[uri]
    rate = word_error_rate(transcript(found.inline_result.transcript.results), material.expected("two-readings"))
    print(f"two-readings: word error rate {rate:.3f}")
    assert rate <= 1 / 8
    assert found.metadata.total_billed_duration.seconds == 74
    assert answer.total_billed_duration.seconds == 74
    ends = [seconds(item.result_end_offset) for item in found.inline_result.transcript.results]
    assert ends == sorted(ends)
    assert 70 < ends[-1] < 74
    metadata = operation.metadata
    assert metadata.progress_percent == 100
    assert metadata.method == "google.cloud.speech.v2.Speech.BatchRecognize"
    assert metadata.batch_recognize_metadata.transcription_metadata[uri].progress_percent == 100


async def test_transcripts_go_into_the_bucket_and_a_broken_recording_spoils_no_other(
    client: SpeechAsyncClient, objects: Bucket, short: str
) -> None:
    broken = objects.put("batch/broken.flac", material.text_named_png(), "audio/flac")
    empty = objects.put("batch/empty.flac", material.empty(), "audio/flac")
    missing = f"gs://{BUCKET}/batch/missing.flac"
    output: dict[str, object] = {"gcs_output_config": {"uri": f"gs://{BUCKET}/transcripts/"}}

    answer = await result(await client.batch_recognize(request=request([short, broken, empty, missing], output)))

    written = answer.results[short].cloud_storage_result.uri
    assert written.startswith(f"gs://{BUCKET}/transcripts/sentence_transcript_")
    assert written.endswith(".json")
    stored = json.loads(objects.get(written))
    heard = " ".join(item["alternatives"][0]["transcript"] for item in stored["results"])
    assert word_error_rate(heard, material.SENTENCE) <= 0.15
    assert stored["metadata"]["totalBilledDuration"] == "8s"
    assert stored["results"][0]["resultEndOffset"].endswith("s")
    assert answer.results[broken].error.code == 3
    assert "supported encoding" in answer.results[broken].error.message
    assert answer.results[empty].error.message == "Provided file is empty."
    assert answer.results[missing].error.code == 5
    assert answer.total_billed_duration.seconds == 8


async def test_captions_are_written_when_asked_for(client: SpeechAsyncClient, objects: Bucket, short: str) -> None:
    output: dict[str, object] = {
        "gcs_output_config": {"uri": f"gs://{BUCKET}/captions"},
        "output_format_config": {"vtt": {}, "srt": {}},
    }

    answer = await result(await client.batch_recognize(request=request([short], output)))

    stored = answer.results[short].cloud_storage_result
    assert not stored.uri
    assert objects.get(stored.vtt_format_uri).decode().startswith("WEBVTT\n\n00:00:00.")
    assert objects.get(stored.srt_format_uri).decode().startswith("1\n00:00:00,")


async def test_a_recording_without_speech_has_no_results_in_a_batch(client: SpeechAsyncClient, objects: Bucket) -> None:
    uri = objects.put("batch/silent.flac", material.silent(90, "flac"), "audio/flac")

    answer = await result(await client.batch_recognize(request=request([uri], INLINE)))

    assert not answer.results[uri].inline_result.transcript.results
    assert answer.results[uri].metadata.total_billed_duration.seconds == 90


async def test_a_recording_of_more_than_eight_hours_fails(client: SpeechAsyncClient, objects: Bucket) -> None:
    uri = objects.put("batch/endless.ogg", material.endless(), "audio/ogg")

    answer = await result(await client.batch_recognize(request=request([uri], INLINE)))

    assert answer.results[uri].error.message == "Audio can be of a maximum of 28800 seconds."


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (request([f"gs://b/{number}" for number in range(16)], {"gcs_output_config": {"uri": "gs://b/"}}), "15 files"),
        (request([], INLINE), "15 files"),
        (request(["gs://b/o"], {}), "Recognition output configuration must be specified"),
        (request(["gs://b/1", "gs://b/2"], INLINE), "single audio file"),
        (request(["gs://b/o"], {"gcs_output_config": {"uri": "/tmp"}}), "Invalid Cloud Storage URI"),
    ],
    ids=["too many files", "no file", "no output", "two files inline", "output elsewhere"],
)
async def test_a_batch_that_can_never_work_is_refused_at_once(
    client: SpeechAsyncClient, wrong: BatchRecognizeRequest, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await client.batch_recognize(request=wrong)


async def test_a_batch_in_flight_goes_on_after_a_restart(objects: Bucket, tmp_path: Path) -> None:
    uri = objects.put("batch/restart.ogg", material.speech_of(50), "audio/ogg")

    with engine("speech", objects.storage, tmp_path) as before:
        async with connected(before.address) as client:
            operation = await client.batch_recognize(request=request([uri], INLINE))
            name = operation.operation.name

            async def begun() -> bool:
                state = await client.get_operation({"name": name})
                metadata: OperationMetadata = OperationMetadata.deserialize(state.metadata.value)
                return metadata.batch_recognize_metadata.transcription_metadata[uri].progress_percent > 0

            await until(begun, LIMIT)
            assert not (await client.get_operation({"name": name})).done
        assert before.stop() == 0

    with engine("speech", objects.storage, tmp_path) as after:
        async with connected(after.address) as client:

            async def done() -> bool:
                return bool((await client.get_operation({"name": name})).done)

            await until(done, LIMIT)
            state = await client.get_operation({"name": name})
        answer: BatchRecognizeResponse = BatchRecognizeResponse.deserialize(state.response.value)
        results = answer.results[uri].inline_result.transcript.results
        assert word_error_rate(transcript(results[:5]), material.expected("austen-reading")) <= 1 / 8
        assert seconds(results[-1].result_end_offset) > 45
        assert after.counters()["uris"] == {uri: 1}
