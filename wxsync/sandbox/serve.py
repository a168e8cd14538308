"""The sandbox on a socket: for `wxsync sandbox`, the demo, and tests that want real connections."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from wxsync.errors import ConfigError, WxsyncError
from wxsync.sandbox.app import create_sandbox
from wxsync.sandbox.callbacks import keep_delivering
from wxsync.sandbox.state import SandboxState

LOOPBACK = "127.0.0.1"
GRACE = 2
"""Seconds that calls under way get when the server stops."""


def run_sandbox(
    state: SandboxState,
    host: str = LOOPBACK,
    port: int = 0,
    on_ready: Callable[[int], None] | None = None,
    *,
    on_usr1: Callable[[], None] | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then return; `on_ready` gets the real port once calls are taken.

    `on_usr1` is called after each SIGUSR1, between two calls. Call it from the main thread. Any address
    but a loopback one wants `allow_remote`.
    """
    if not allow_remote and not is_loopback(host):
        raise ConfigError(
            [f"the sandbox listens on loopback only, and {host} is another address"],
            hint="listen on 127.0.0.1: whoever reaches the sandbox can read and change all in it",
        )
    with listening(host, port) as listener:
        server = SandboxServer(state, on_ready, stops_on_signals=True, on_usr1=on_usr1)
        server.run(sockets=[listener])


@contextmanager
def running_sandbox(state: SandboxState, *, port: int = 0) -> Iterator[str]:
    """Serve from a background thread; gives the base URL, and has stopped when the block is left."""
    ready = threading.Event()
    with listening(LOOPBACK, port) as listener:
        server = SandboxServer(state, lambda _: ready.set())
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="wxsync-sandbox", daemon=True
        )
        thread.start()
        try:
            while not ready.wait(0.05):
                if not thread.is_alive():
                    raise WxsyncError("the sandbox did not start")
            yield base_url(LOOPBACK, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def base_url(host: str, port: int) -> str:
    """The URL that goes into `base_url` of a corp."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise WxsyncError(
            f"the sandbox cannot listen on {host}:{port}: {error}",
            hint="choose another port, or 0 for a free one",
        ) from error
    with listener:
        # Inherited by every connection. asyncio would see to it, but for a socket whose protocol is not
        # named it does not; then an answer in two packets waits 40 ms for the other side's delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


class SandboxServer(uvicorn.Server):
    """uvicorn, quiet, that tells when it is ready and leaves the process's signals as they were."""

    def __init__(
        self,
        state: SandboxState,
        on_ready: Callable[[int], None] | None,
        *,
        stops_on_signals: bool = False,
        on_usr1: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                create_sandbox(state, cuts_off=True),
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._state = state
        self._on_ready = on_ready
        self._stops_on_signals = stops_on_signals
        self._on_usr1 = on_usr1
        self._is_usr1_due = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._delivering = asyncio.create_task(keep_delivering(self._state))
        if self._on_ready is not None and sockets:
            self._on_ready(sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._delivering.cancel()
        await asyncio.wait((self._delivering,))
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn looks up ten times a second, between calls: that is when a signal is acted upon."""
        if self._is_usr1_due and self._on_usr1 is not None:
            self._is_usr1_due = False
            self._on_usr1()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal ends the serving and nothing more: uvicorn's own way raises it again afterwards."""
        if not self._stops_on_signals:
            yield
            return
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        if self._on_usr1 is not None:
            before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._note_usr1)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_usr1(self, _number: int, _frame: FrameType | None) -> None:
        self._is_usr1_due = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
