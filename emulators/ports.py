"""Which part of the local cloud listens on which port."""

import errno
import os
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Self

import psutil

from emulators.errors import CannotStartError

HOST = "127.0.0.1"
"""Everything listens here and nowhere else: the emulators' tokens are unsigned."""

_FREE_RANGE = range(20_000, 32_000)
"""Below the ports that Linux (32768) and macOS (49152) give to outgoing connections, which could take one meanwhile."""


_PATIENCE = 2.0
"""Seconds that a taken port is given to become free: the parts of a runner that was just killed need some."""
_POLL = 0.1


def _port(number: int, purpose: str) -> int:
    return field(default=number, metadata={"purpose": purpose})


@dataclass(frozen=True)
class Ports:
    """The ports of one local cloud."""

    gateway: int = _port(8000, "the platform's API")
    internal: int = _port(8001, "event, task and schedule functions")
    firestore: int = _port(8080, "Firestore")
    pubsub: int = _port(8085, "Pub/Sub")
    auth: int = _port(9099, "Firebase Auth")
    storage: int = _port(9023, "Cloud Storage")
    tasks: int = _port(8123, "Cloud Tasks")
    tasks_control: int = _port(8143, "Cloud Tasks, faults and counters")
    documentai: int = _port(8124, "Document AI")
    documentai_control: int = _port(8144, "Document AI, faults and counters")
    speech: int = _port(8125, "Speech-to-Text")
    speech_control: int = _port(8145, "Speech-to-Text, faults and counters")
    scheduler: int = _port(8134, "Cloud Scheduler, control")
    smtp: int = _port(1025, "mail, SMTP")
    mail: int = _port(8025, "mail, messages over HTTP")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The usual ports, changed by `PORT` (and the internal one with it) and `{NAME}_PORT`, as in `FIRESTORE_PORT`.

        Raises CannotStartError when one of them is not a port number.
        """
        chosen = {one.name: _number(variable(one.name), environment, int(str(one.default))) for one in fields(cls)}
        if "INTERNAL_PORT" not in environment:
            chosen["internal"] = chosen["gateway"] + 1
        return cls(**chosen)

    @classmethod
    def free(cls) -> Self:
        """Ports that nobody listens on right now."""
        names = [one.name for one in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))

    def refuse_if_busy(self) -> None:
        """Raises CannotStartError for ports that can't be had: what each is for, why not, how to choose another."""
        limit = time.monotonic() + _PATIENCE
        wanted = [(one, getattr(self, one.name)) for one in fields(self)]
        while refused := [(one, port, why) for one, port in wanted if (why := _refusal(port))]:
            if time.monotonic() < limit:
                time.sleep(_POLL)
                continue
            lines = [
                f"  port {port}, wanted for {one.metadata['purpose']}, {_told(why, port)}; "
                f"choose another with {variable(one.name)}=…"
                for one, port, why in refused
            ]
            raise CannotStartError("\n".join(["Some ports can't be had:", *lines]))

    def address(self, name: str) -> str:
        """`host:port` of a part."""
        return f"{HOST}:{asdict(self)[name]}"

    def url(self, name: str) -> str:
        """`http://host:port` of a part."""
        return f"http://{self.address(name)}"


def variable(name: str) -> str:
    """The environment variable that changes the port of a part."""
    return "PORT" if name == "gateway" else f"{name.upper()}_PORT"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on right now."""
    found: list[int] = []
    for port in random.sample(_FREE_RANGE, len(_FREE_RANGE)):
        if len(found) == count:
            break
        if not _refusal(port):
            found.append(port)
    return found


def _number(name: str, environment: Mapping[str, str], usual: int) -> int:
    given = environment.get(name, str(usual))
    if not given.isdigit() or not 0 < int(given) < 65_536:
        raise CannotStartError(f"{name}={given} is not a port: it must be a number from 1 to 65535.")
    return int(given)


def _refusal(port: int) -> OSError | None:
    """Why nothing can listen on this port; None when something can."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still being closed down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error
    return None


def _told(refusal: OSError, port: int) -> str:
    if refusal.errno == errno.EADDRINUSE:
        return f"is held by {_holder(port)}"
    privileged = "; ports below 1024 are the superuser's" if refusal.errno == errno.EACCES else ""
    return f"can't be listened on ({refusal.strerror}{privileged})"


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells only the superuser
        return "another program"
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
            return f"process {one.pid} ({_command(one.pid)})"
    return "another program"


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:80]
    except psutil.Error:
        return "of another user"
