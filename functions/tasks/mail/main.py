"""Writes one letter and sends it over SMTP."""

from shared.models.mail import Letter
from shared.services import mail
from shared.web.tasks import task_function

main = task_function("mail", Letter, mail.write_and_send)
