"""What a proxy, an orchestrator and Prometheus ask, put together."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from wxsync.config.settings import Settings
from wxsync.mirror.store import Store
from wxsync.service.counts import CallbackCounts
from wxsync.service.facts import Backlog, FactsReader
from wxsync.service.health import Beat, health_routes, open_health
from wxsync.service.metrics import AddressOf, metrics_routes, open_metrics, peer_address


def probe_routes(
    store: Store,
    current: Callable[[], Settings],
    beat: Beat,
    counts: CallbackCounts,
    *,
    backlog: Backlog | None = None,
    address_of: AddressOf = peer_address,
) -> list[Route]:
    """/healthz, /readyz and /metrics of a daemon; what they know belongs to the loop that serves them.

    `beat` is called by the loop that does the work, and `counts` by whoever takes callbacks. `backlog` asks
    the mirror for the callbacks that wait; `address_of` says where a request comes from.
    """
    reader = FactsReader(store, current, backlog=backlog)
    return [
        *health_routes(open_health(store, beat.silence)),
        *metrics_routes(open_metrics(reader, beat.silence, counts), current, address_of),
    ]
