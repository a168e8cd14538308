"""/metrics: how everything stands, in Prometheus' words, read from the mirror when somebody asks.

So any of several daemons gives the same. Each answer has a registry of its own: nothing is kept between two.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import IPv6Address, ip_address, ip_network
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from wxsync.config.settings import Settings
from wxsync.errors import WxsyncError
from wxsync.service.asking import Question
from wxsync.service.counts import CallbackCounts
from wxsync.service.facts import Facts, FactsReader
from wxsync.service.metric_names import BY_NAME
from wxsync.service.samples import Sample, samples

PATIENCE: Final = 5.0
"""Seconds for the mirror to answer in: less than Prometheus itself waits by default, 10."""
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
AddressOf = Callable[[Request], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Facts, and how many seconds it took to read them."""

    facts: Facts
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What there is to tell of the mirror and of this process; belongs to the loop that answers."""

    timed: Question[Timed]
    silence: Callable[[], float]
    """Seconds since the loop that does the work last showed that it goes round."""
    counts: CallbackCounts

    async def text(self, accept: str) -> tuple[bytes, str]:
        """Everything in the format that is asked for, and its content type.

        Without the mirror only what this process knows of itself, and `wxsync_mirror_ready 0`.
        """
        timed = None
        with contextlib.suppress(TimeoutError, WxsyncError):
            timed = await self.timed.answer()
        encode, content_type = choose_encoder(accept)
        return await asyncio.to_thread(encode, self._registry(timed)), content_type

    def _registry(self, timed: Timed | None) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(_Told([*self._own(timed), *(samples(timed.facts) if timed is not None else ())]))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        return registry

    def _own(self, timed: Timed | None) -> Iterator[Sample]:
        yield Sample("wxsync_build_info", (version("wxsync"),), 1.0)
        yield Sample("wxsync_mirror_ready", (), float(timed is not None))
        if timed is not None:
            yield Sample("wxsync_mirror_read_seconds", (), timed.took)
        yield Sample("wxsync_loop_silence_seconds", (), self.silence())
        for labels, number in sorted(self.counts.all_received().items()):
            yield Sample("wxsync_callbacks_received_total", labels, number)
        for corp, number in sorted(self.counts.all_unknown().items()):
            yield Sample("wxsync_callbacks_unknown_total", (corp,), number)
        for reason, number in sorted(self.counts.all_rejected().items()):
            yield Sample("wxsync_callbacks_rejected_total", (reason,), number)


class _Told(Collector):
    """Samples as prometheus-client takes them."""

    def __init__(self, told: Iterable[Sample]) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for sample in self._told:
            name = sample.name
            families.setdefault(name, _family(name)).add_metric(sample.labels, sample.number)
        yield from families.values()


def _family(name: str) -> GaugeMetricFamily | CounterMetricFamily:
    metric = BY_NAME[name]
    family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return family(name, metric.help, labels=metric.labels)


def open_metrics(reader: FactsReader, silence: Callable[[], float], counts: CallbackCounts) -> Metrics:
    """The metrics of a process, with what `reader` reads."""
    return Metrics(timed=Question(lambda: _timed(reader), patience=PATIENCE), silence=silence, counts=counts)


def _timed(reader: FactsReader) -> Timed:
    began = perf_counter()
    return Timed(facts=reader.read(), took=perf_counter() - began)


def peer_address(request: Request) -> str | None:
    """Where the request comes from; None where a proxy passed it on: its peer says nothing of that."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return None
    return request.client.host


def metrics_routes(
    metrics: Metrics, current: Callable[[], Settings], address_of: AddressOf = peer_address
) -> list[Route]:
    """/metrics, for the networks in `service.metrics_allow`; 403 for everybody else."""

    async def told(request: Request) -> Response:
        if not is_allowed(address_of(request), current().service.metrics_allow):
            return PlainTextResponse("not for you: see service.metrics_allow\n", status_code=403)
        content, content_type = await metrics.text(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    return [Route("/metrics", told, methods=["GET"])]


def is_allowed(address: str | None, networks: Iterable[str]) -> bool:
    """The address lies in one of the networks; one that nobody can read lies in none."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped  # as a socket for both shows an address of IPv4
    return any(found in ip_network(network) for network in networks)
