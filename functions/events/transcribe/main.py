"""Transcribes a recording when its object is complete."""

from shared.services import transcription
from shared.web.events import event_function

main = event_function("transcribe", transcription.transcribe)
