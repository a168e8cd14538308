"""From settings to corps that can be worked with: the only place where the rooms are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx

from wxsync.config.settings import (
    LdapSourceSettings,
    Settings,
    SourceSettings,
    SqlSourceSettings,
)
from wxsync.engine.corp import Clock, Corp
from wxsync.errors import ConfigError
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.sources.base import Source
from wxsync.sources.sql import SqlSource
from wxsync.wecom.client import open_client


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
) -> AsyncIterator[Corp]:
    """The corp of `sync`, ready to be read and written, for the length of the block.

    `transport` takes the place of the network. Raises ConfigError, MirrorError; nothing is sent.
    """
    chosen = settings.sync[sync]
    corp = settings.corp[chosen.corp]
    sources = tuple(_open_source(name, settings.source[name]) for name in chosen.sources)
    store = Store(prepare(settings.mirror.full_url))
    try:
        async with AsyncExitStack() as stack:
            open_by = partial(
                open_client,
                corp_id=corp.corp_id,
                base_url=corp.base_url,
                proxy=corp.proxy,
                ca_file=corp.ca_file,
                transport=transport,
            )
            secret, name = corp.contact_secret.get_secret_value(), f"corp.{chosen.corp}.contact_secret"
            contacts = await stack.enter_async_context(open_by(secret=secret, secret_name=name))
            app = None
            if corp.app is not None:
                secret, name = corp.app.secret.get_secret_value(), f"corp.{chosen.corp}.app.secret"
                app = await stack.enter_async_context(open_by(secret=secret, secret_name=name))
            yield Corp(
                name=chosen.corp,
                corp_id=corp.corp_id,
                sync=sync,
                settings=chosen,
                sources=sources,
                wecom=contacts,
                app=app,
                store=store,
                clock=clock,
                siblings=siblings_of(settings, sync),
                account_cap=corp.account_cap,
            )
    finally:
        store.close()


def siblings_of(settings: Settings, sync: str) -> frozenset[str]:
    """The other syncs that feed the corp of `sync`."""
    corp = settings.sync[sync].corp
    return frozenset(name for name, other in settings.sync.items() if other.corp == corp and name != sync)


def _open_source(name: str, settings: SourceSettings) -> Source:
    """The reader that understands these settings."""
    match settings:
        case SqlSourceSettings():
            return SqlSource(name, settings)
        case LdapSourceSettings():
            raise ConfigError([f"source.{name}.type: ldap is not supported by this version; use sql"])
