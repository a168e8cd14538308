"""From settings to corps that can be worked with: the only place where the rooms are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Final

import httpx

from wxsync.config.settings import (
    CorpSettings,
    FileSourceSettings,
    LdapSourceSettings,
    Settings,
    SourceSettings,
    SqlSourceSettings,
)
from wxsync.config.traits import traits
from wxsync.engine.bell import JobBell, Pauses
from wxsync.engine.corp import Clock, Corp
from wxsync.errors import ConfigError
from wxsync.mirror.quota import MirrorLedger, known_members
from wxsync.mirror.retention import Retention
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.mirror.tokens import MirrorTokens
from wxsync.model.job import JobCallback
from wxsync.sources.base import Source
from wxsync.sources.file import FileSource
from wxsync.sources.sql import SqlSource
from wxsync.wecom.calls import Reads, Secret
from wxsync.wecom.client import contacts_of, jobs_of, open_transport
from wxsync.wecom.gate import Gate
from wxsync.wecom.media import Media
from wxsync.wecom.network import Network
from wxsync.wecom.reach import TIMEOUTS, Reach, reach
from wxsync.wecom.retries import Patience
from wxsync.wecom.slots import Slots
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire.network import Segment

LOOKING_ON: Final = Patience(longest_wait=30.0)
"""Where somebody sits and waits for the answer."""
UNHURRIED: Final = Pauses()
BESIDE: Final = httpx.Timeout(4.0)
"""For a look whose failure says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines to one corp, by each of its secrets."""

    contact: Transport
    app: Transport | None


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_corp(
    settings: Settings,
    sync: str,
    *,
    clock: Clock = utc_now,
    transport: httpx.AsyncBaseTransport | None = None,
    patience: Patience | None = None,
    pauses: Pauses = UNHURRIED,
    store: Store | None = None,
    bell: JobBell | None = None,
) -> AsyncIterator[Corp]:
    """The corp of `sync`, ready to be read and written, for the length of the block.

    `transport` takes the place of the network; `pauses` are those between questions about a job. `store` is
    the mirror, where it is open already; `bell` is rung by whoever is told of the ends of jobs. Raises
    ConfigError, MirrorError; nothing is sent.
    """
    chosen = settings.sync[sync]
    corp = settings.corp[chosen.corp]
    sources = open_sources(settings, sync, clock)
    with nullcontext(store) if store is not None else _opened_store(settings) as mirror:
        gate = Gate()
        to_corp = open_lines(settings, chosen.corp, mirror, transport=transport, patience=patience, gate=gate)
        async with to_corp as lines:
            yield Corp(
                name=chosen.corp,
                corp_id=corp.corp_id,
                sync=sync,
                settings=chosen,
                sources=sources,
                wecom=contacts_of(lines.contact),
                jobs=jobs_of(lines.contact),
                media=Media(lines.contact),
                pauses=pauses,
                bell=bell or JobBell(),
                app=contacts_of(lines.app) if lines.app is not None else None,
                store=mirror,
                gate=gate,
                clock=clock,
                sibling_roots=sibling_roots(settings, sync),
                configured=traits(settings, sync),
                account_cap=corp.account_cap,
                retention=Retention(
                    audit_days=settings.service.audit_days,
                    keep_runs_days=settings.service.keep_runs_days,
                ),
                concurrency=corp.concurrency,
                job_callback=job_callback(settings, chosen.corp),
            )


def job_callback(settings: Settings, corp: str) -> JobCallback | None:
    """Where WeCom tells that a job of the corp is over; None where the config has no address for it."""
    receiver, url = settings.corp[corp].callback, settings.service.public_url
    if receiver is None or url is None:
        return None
    return JobCallback(
        url=f"{url}/callback/{corp}",
        token=receiver.token.get_secret_value(),
        encoding_aes_key=receiver.encoding_aes_key.get_secret_value(),
    )


async def read_callback_ips(
    settings: Settings,
    corp: str,
    store: Store,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[Segment, ...]:
    """From where WeCom says that it sends events. Raises WeComError, MirrorError."""
    async with open_lines(settings, corp, store, transport=transport) as lines:
        return await Network(lines.contact).get_callback_ips()


@asynccontextmanager
async def open_lines(
    settings: Settings,
    corp: str,
    store: Store,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    patience: Patience | None = None,
    gate: Gate | None = None,
) -> AsyncIterator[Lines]:
    """The lines to the corp that the config calls `corp`, for the length of the block; nothing is sent.

    Tokens and the counts of WeCom's limits are shared with every process on the mirror `store`. `transport`
    takes the place of the network; `gate` may hold up the calls. Raises ConfigError.
    """
    chosen = settings.corp[corp]
    open_by = partial(
        open_transport,
        corp_id=chosen.corp_id,
        base_url=chosen.base_url,
        proxy=chosen.proxy,
        ca_file=chosen.ca_file,
        ledger=MirrorLedger(store),
        slots=Slots(chosen.concurrency),
        gate=gate,
        members=known_members(store, corp),
        transport=transport,
        patience=patience,
    )
    tokens = _tokens_of(chosen, store)
    async with AsyncExitStack() as stack:
        secret, name = chosen.contact_secret.get_secret_value(), f"corp.{corp}.contact_secret"
        contact = await stack.enter_async_context(open_by(secret=secret, secret_name=name, tokens=tokens[0]))
        app = None
        if chosen.app is not None:
            secret, name = chosen.app.secret.get_secret_value(), f"corp.{corp}.app.secret"
            agent = str(chosen.app.agent_id)
            app = await stack.enter_async_context(
                open_by(secret=secret, secret_name=name, tokens=tokens[1], app=agent)
            )
        yield Lines(contact=contact, app=app)


@asynccontextmanager
async def open_reads(
    settings: Settings,
    corp: str,
    secret: Secret,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Reads]:
    """What can be looked up in the corp that the config calls `corp`, by one of its secrets.

    Raises ConfigError where that secret is an app's and none is configured, and MirrorError.
    """
    with _opened_store(settings) as store:
        lines_to = open_lines(settings, corp, store, transport=transport, patience=LOOKING_ON)
        async with lines_to as lines:
            line = lines.contact if secret is Secret.CONTACT else lines.app
            if line is None:
                raise ConfigError([f"corp.{corp}.app: this wants an app's secret, and none is configured"])
            yield Reads(line)


async def look_at_line(settings: Settings, corp: str, *, without_proxy: bool = False) -> Reach:
    """What lies between this machine and WeCom, the way that the config says; no secret is sent.

    `without_proxy` looks whether there is another way. Raises ConfigError.
    """
    chosen = settings.corp[corp]
    return await reach(
        base_url=chosen.base_url,
        proxy=None if without_proxy else chosen.proxy,
        ca_file=chosen.ca_file,
        clock=lambda: utc_now().timestamp(),
        timeouts=BESIDE if without_proxy else TIMEOUTS,
    )


def forget_refusals(settings: Settings, corp: str) -> int:
    """Have WeCom asked again for tokens by secrets of `corp` that it has refused; gives how many those were.

    For `wxsync check --retry`: a secret that WeCom calls wrong is asked for once. Calls that it has refused
    for a while (45009) are made again, too. Raises MirrorError.
    """
    with _opened_store(settings) as store:
        MirrorLedger(store).forget_holds(settings.corp[corp].corp_id)
        return sum([tokens.forget_refusal() for tokens in _tokens_of(settings.corp[corp], store)])


def _tokens_of(corp: CorpSettings, store: Store) -> list[MirrorTokens]:
    """Those of contact sync, then those of the app."""
    secrets = [corp.contact_secret, *([corp.app.secret] if corp.app is not None else [])]
    return [
        MirrorTokens(store, corp_id=corp.corp_id, secret=secret.get_secret_value(), base_url=corp.base_url)
        for secret in secrets
    ]


@contextmanager
def _opened_store(settings: Settings) -> Iterator[Store]:
    store = Store(prepare(settings.mirror.full_url))
    try:
        yield store
    finally:
        store.close()


def sibling_roots(settings: Settings, sync: str) -> dict[str, int]:
    """The other syncs that feed the corp of `sync`, each with its root department."""
    corp = settings.sync[sync].corp
    return {
        name: other.root_department
        for name, other in settings.sync.items()
        if other.corp == corp and name != sync
    }


def open_sources(settings: Settings, sync: str, clock: Clock = utc_now) -> tuple[Source, ...]:
    """The sources of `sync`, the authority first; nothing is connected to yet."""
    names = settings.sync[sync].sources
    return tuple(_open_source(name, settings.source[name], clock) for name in names)


def _open_source(name: str, settings: SourceSettings, clock: Clock) -> Source:
    """The reader that understands these settings."""
    match settings:
        case SqlSourceSettings():
            return SqlSource(name, settings)
        case FileSourceSettings():
            return FileSource(name, settings)
        case LdapSourceSettings():
            # All of its room, which no other source wants, would make every command slower to begin.
            opened: Source = import_module("wxsync.sources.ldap").LdapSource(name, settings, clock)
            return opened
