"""`python -m emulators.storage`: serve until SIGTERM or SIGINT."""

import argparse
import signal
import sys
from pathlib import Path

import uvicorn

from emulators.storage.app import create_app
from emulators.storage.signers import read_signers
from emulators.storage.storage import Config

_SIGNERS = (
    ("--signer-certificate", "[ACCOUNT=]FILE", "X.509 certificate of a service account, PEM"),
    ("--signer-public-key", "[ACCOUNT=]FILE", "public key of a service account, PEM"),
    ("--hmac-key", "ID=SECRET", "HMAC key of a service account"),
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.storage", description="The local Cloud Storage.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9023)
    parser.add_argument("--state", type=Path, required=True, help="folder of objects, sessions and the outbox")
    parser.add_argument("--pubsub", required=True, help="HOST:PORT of the Pub/Sub emulator, or none")
    parser.add_argument("--project", required=True, help="project id")
    for option, value, described in _SIGNERS:
        parser.add_argument(option, action="append", default=[], metavar=value, help=described)
    return parser.parse_args()


def main() -> None:
    """Serve until a signal comes; exits with 0."""
    given = _arguments()
    config = Config(
        state=given.state,
        base_url=f"http://{given.host}:{given.port}",
        project=given.project,
        signers=read_signers(given.signer_certificate, given.signer_public_key, given.hmac_key),
        pubsub=None if given.pubsub == "none" else given.pubsub,
    )
    # uvicorn raises the signal again when it is done; then the process ends by its own will.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        create_app(config),
        host=given.host,
        port=given.port,
        http="h11",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=256 * 1024,
    )


if __name__ == "__main__":
    main()
