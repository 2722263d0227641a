"""`python -m emulators.mail`: runs the mail sink until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging

from emulators.mail.server import Options, running
from emulators.serving import until_stopped

log = logging.getLogger(__name__)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="emulators.mail", description="A mail server that delivers nothing.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--smtp-port", type=int, default=1025, help="port that takes mail in")
    parser.add_argument("--http-port", type=int, default=8025, help="port that shows it")
    return Options(**vars(parser.parse_args()))


async def _main(options: Options) -> None:
    async with running(options) as ports:
        log.info("mail taken on %s:%d, shown on http://%s:%d", options.host, ports.smtp, options.host, ports.http)
        await until_stopped()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells each step of a conversation
    asyncio.run(_main(_options()))
