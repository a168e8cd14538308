"""What systemd is told, as it would hear it: on a real datagram socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wxsync.service.systemd import Systemd, watchdog_interval


class Listener:
    """What stands in NOTIFY_SOCKET, and all that was said to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """The datagrams that came since the last time."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(65536).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    """A socket with a path, as systemd makes it."""
    listening = Listener(str(tmp_path / "notify"))
    yield listening
    listening.close()


def test_the_words_of_a_life(listener: Listener) -> None:
    """Ready, a status, a sign of life, a reload and the end, each one datagram in systemd's words."""
    systemd = Systemd(address=listener.address)
    before = time.monotonic_ns() // 1000

    assert systemd.ready("no run yet")
    assert systemd.status("acme: done at 02:03")
    assert systemd.alive()
    assert systemd.reloading()
    assert systemd.stopping("ending")

    ready, status, alive, reloading, stopping = listener.heard()
    assert ready == "READY=1\nSTATUS=no run yet"
    assert status == "STATUS=acme: done at 02:03"
    assert alive == "WATCHDOG=1"
    assert stopping == "STOPPING=1\nSTATUS=ending"
    word, moment = reloading.split("\n")
    assert word == "RELOADING=1"
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_an_address_in_the_abstract_namespace() -> None:
    """`@name` is understood, and no file is made of it."""
    listening = Listener(f"@wxsync-test-{os.getpid()}")
    try:
        assert Systemd(address=listening.address).alive()
        assert listening.heard() == ["WATCHDOG=1"]
    finally:
        listening.close()


def test_without_an_address_nothing_happens() -> None:
    """A daemon that was started by hand says nothing to nobody, and knows that it did not."""
    systemd = Systemd.take({})

    assert not systemd.ready("up")
    assert systemd.feeding is None


@pytest.mark.parametrize("address", ["/nowhere/at/all", "vsock:2:1234", "", "relative\0name"])
def test_who_does_not_listen_breaks_nothing(address: str) -> None:
    """A supervisor that is gone, or an address of another kind, is no error of the work."""
    assert not Systemd(address=address).alive()


def test_a_full_queue_does_not_hold_up(listener: Listener) -> None:
    """Where the other side reads no more, a word is lost within a second or so, and none hangs."""
    systemd = Systemd(address=listener.address)
    before = time.monotonic()
    while systemd.alive():
        assert time.monotonic() - before < 30

    assert time.monotonic() - before < 10


def test_a_status_is_one_line(listener: Listener) -> None:
    """What is said of a run cannot say another word of the protocol, nor be too long for a datagram."""
    Systemd(address=listener.address).status("broke off\nREADY=1\r\n" + "同" * 4000)

    [said] = listener.heard()
    assert said.startswith("STATUS=broke off READY=1 同")
    assert "\n" not in said
    assert len(said.encode()) <= 1024 + len("STATUS=")


def test_the_environment_is_taken() -> None:
    """What systemd said to us stays with us: nothing of it is left for children."""
    environment = {
        "NOTIFY_SOCKET": "/run/notify",
        "WATCHDOG_USEC": "180000000",
        "WATCHDOG_PID": "77",
        "HOME": "/",
    }

    systemd = Systemd.take(environment, process=77)

    assert systemd == Systemd(address="/run/notify", watchdog=180.0)
    assert systemd.feeding == 60.0
    assert environment == {"HOME": "/"}


def test_a_child_says_nothing(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that the daemon starts has no NOTIFY_SOCKET, also where it looks in the real environment."""
    monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
    Systemd.take()
    child = "import os; print(os.environ.get('NOTIFY_SOCKET'))"

    said = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "None"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "1"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "2"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_for_whom_the_watchdog_is(environment: dict[str, str], seconds: float | None) -> None:
    """The interval counts where it is a number and meant for this process."""
    assert watchdog_interval(environment, process=1) == seconds


def test_a_watchdog_without_a_socket_is_none() -> None:
    """Nobody can be fed where nobody can be spoken to."""
    assert Systemd.take({"WATCHDOG_USEC": "1000000"}).watchdog is None
