"""Tries one delivery of a webhook."""

from shared.models.webhooks import DeliveryTask
from shared.services import deliveries
from shared.web.tasks import task_function

main = task_function("deliveries", DeliveryTask, deliveries.attempt)
