"""What was heard, in the shape of `google.cloud.speech.v2`."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from google.cloud import speech_v2

from emulators.speech.transcriber import Utterance

PUNCTUATION = re.compile(r"[.,;:!?]+(?=\s|$)")


def results(
    utterances: Sequence[Utterance], features: speech_v2.RecognitionFeatures, language: str
) -> list[speech_v2.SpeechRecognitionResult]:
    """One result for each utterance. The engine knows no confidence, so that field stays at its "not set"."""
    separate = (
        features.multi_channel_mode == speech_v2.RecognitionFeatures.MultiChannelMode.SEPARATE_RECOGNITION_PER_CHANNEL
    )
    return [
        speech_v2.SpeechRecognitionResult(
            alternatives=[
                speech_v2.SpeechRecognitionAlternative(
                    transcript=_transcript(utterance, features),
                    words=list(_words(utterance, features)) if features.enable_word_time_offsets else [],
                )
            ],
            channel_tag=utterance.channel if separate else 0,
            result_end_offset=timedelta(seconds=utterance.end),
            language_code=language,
        )
        for utterance in utterances
    ]


def metadata(request_id: str, billed: int) -> speech_v2.RecognitionResponseMetadata:
    """Which request it was, and the seconds billed for it."""
    return speech_v2.RecognitionResponseMetadata(request_id=request_id, total_billed_duration=timedelta(seconds=billed))


def vtt(utterances: Sequence[Utterance]) -> str:
    """The transcript as WebVTT captions."""
    cues = [f"{_clock(said.start, '.')} --> {_clock(said.end, '.')}\n{said.text}\n" for said in utterances]
    return "\n".join(["WEBVTT\n", *cues])


def srt(utterances: Sequence[Utterance]) -> str:
    """The transcript as SubRip captions."""
    return "\n".join(
        f"{number}\n{_clock(said.start, ',')} --> {_clock(said.end, ',')}\n{said.text}\n"
        for number, said in enumerate(utterances, start=1)
    )


def _transcript(utterance: Utterance, features: speech_v2.RecognitionFeatures) -> str:
    # The engine always punctuates; Google does so on request.
    return utterance.text if features.enable_automatic_punctuation else PUNCTUATION.sub("", utterance.text)


def _words(utterance: Utterance, features: speech_v2.RecognitionFeatures) -> Iterator[speech_v2.WordInfo]:
    """Words with their times. The engine times utterances only: within one, a word lasts as long as it has letters."""
    words = _transcript(utterance, features).split()
    letters = sum(len(word) for word in words)
    before = 0
    for word in words:
        begin = utterance.start + (utterance.end - utterance.start) * before / letters
        before += len(word)
        end = utterance.start + (utterance.end - utterance.start) * before / letters
        yield speech_v2.WordInfo(word=word, start_offset=timedelta(seconds=begin), end_offset=timedelta(seconds=end))


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
