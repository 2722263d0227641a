"""Reads a document when its object is complete."""

from shared.services import ocr
from shared.web.events import event_function

main = event_function("ocr", ocr.read)
