"""Records on the asset that its event was given up on, and keeps the event for replay."""

from shared.services import deadletters
from shared.web.events import event_function

main = event_function("deadletter", deadletters.bury, last_resort=True)
