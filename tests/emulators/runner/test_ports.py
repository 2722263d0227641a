"""Ports are chosen, checked, and their trouble is told."""

import errno
import os
import socket

import pytest

from emulators.errors import CannotStartError
from emulators.ports import HOST, Ports, free_ports


def test_the_usual_ports_are_those_that_the_readme_names() -> None:
    usual = Ports.from_environment({})

    assert (usual.gateway, usual.internal, usual.firestore, usual.storage) == (8000, 8001, 8080, 9023)


def test_PORT_moves_the_platform_and_its_internal_door() -> None:  # noqa: N802  # the variable's name
    moved = Ports.from_environment({"PORT": "8010", "FIRESTORE_PORT": "8090"})

    assert (moved.gateway, moved.internal, moved.firestore, moved.pubsub) == (8010, 8011, 8090, 8085)


@pytest.mark.parametrize("given", ["web", "", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(given: str) -> None:
    with pytest.raises(CannotStartError, match="PORT="):
        Ports.from_environment({"PORT": given})


def test_free_ports_differ_and_can_be_listened_on() -> None:
    found = free_ports(5)

    assert len(set(found)) == 5
    for port in found:
        socket.create_server((HOST, port)).close()


def test_a_taken_port_is_told_with_its_purpose_its_holder_and_the_way_out() -> None:
    ports = Ports.free()
    with (
        socket.create_server((HOST, ports.firestore)),
        pytest.raises(CannotStartError) as refused,
    ):
        ports.refuse_if_busy()

    message = str(refused.value)
    assert f"port {ports.firestore}, wanted for Firestore" in message
    assert str(os.getpid()) in message
    assert "FIRESTORE_PORT=" in message
    assert str(ports.pubsub) not in message


def test_a_port_of_the_superuser_is_not_said_to_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("emulators.ports.socket.socket", Refused)
    monkeypatch.setattr("emulators.ports._PATIENCE", 0.0)
    with pytest.raises(CannotStartError) as refused:
        Ports(smtp=587).refuse_if_busy()

    assert "port 587, wanted for mail, SMTP, can't be listened on (Permission denied; ports below" in str(refused.value)
    assert "SMTP_PORT=" in str(refused.value)
    assert "held" not in str(refused.value)
