"""All that others ask and tell this process over HTTP: its parts, and how they are told of by others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request

from wxsync.config.settings import Settings
from wxsync.mirror.inbox import Receiver, backlog
from wxsync.mirror.store import Store
from wxsync.service.app import create_app
from wxsync.service.callback_ips import CallbackIps
from wxsync.service.callbacks import callback_routes
from wxsync.service.clients import client_address, to_address
from wxsync.service.counts import CallbackCounts
from wxsync.service.health import Beat
from wxsync.service.letterbox import Letterbox
from wxsync.service.metrics import FORWARDED
from wxsync.service.probes import probe_routes

KEPT: Final = 200
UNKEPT: Final = 503


class Front:
    """The application that is served; `arrived` is called in the loop that serves it, with a corp's name."""

    def __init__(self, store: Store, current: Callable[[], Settings], arrived: Callable[[str], None]) -> None:
        self._current = current
        self.beat = Beat()
        self.counts = CallbackCounts()
        self.ips = CallbackIps()
        callbacks = callback_routes(current, Letterbox(store, arrived), ips=self.ips, answered=self._count)
        probes = probe_routes(
            store, current, self.beat, self.counts, backlog=backlog, address_of=self._address
        )
        self.app: Starlette = create_app([*callbacks, *probes])

    def _count(self, corp: str, receiver: Receiver, status: int) -> None:
        if status == KEPT:
            self.counts.received(corp, receiver.value)
        else:
            self.counts.rejected("store" if status == UNKEPT else "refused")

    def _address(self, request: Request) -> str | None:
        """None where a proxy passed it on that nobody named: its own address says nothing of who asks."""
        client = client_address(request, self._current().service.trusted_proxies)
        peer = None if request.client is None else to_address(request.client.host)
        is_passed_on = any(name in request.headers for name in FORWARDED)
        return None if client is None or (is_passed_on and client == peer) else str(client)
