"""Writes one letter and sends it over SMTP."""

from shared.models.mail import Letter
from shared.services import mailing
from shared.web.tasks import task_function

main = task_function("mail", Letter, mailing.write_and_send)
