"""From settings to corps that can be worked with: the only place where the rooms are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from sqlalchemy import URL, make_url

from wxsync.config.settings import (
    LdapSourceSettings,
    MirrorSettings,
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
    store = Store(prepare(mirror_url(settings.mirror)))
    try:
        async with open_client(
            corp_id=corp.corp_id,
            secret=corp.contact_secret.get_secret_value(),
            base_url=corp.base_url,
            proxy=corp.proxy,
            ca_file=corp.ca_file,
            transport=transport,
        ) as contacts:
            yield Corp(
                name=chosen.corp,
                corp_id=corp.corp_id,
                sync=sync,
                settings=chosen,
                sources=sources,
                wecom=contacts,
                store=store,
                clock=clock,
            )
    finally:
        store.close()


def mirror_url(settings: MirrorSettings) -> URL:
    """The mirror's URL with its password."""
    url = make_url(settings.url)
    return url if settings.password is None else url.set(password=settings.password.get_secret_value())


def _open_source(name: str, settings: SourceSettings) -> Source:
    """The reader that understands these settings."""
    match settings:
        case SqlSourceSettings():
            return SqlSource(name, settings)
        case LdapSourceSettings():
            raise ConfigError([f"source.{name}.type: ldap is not supported by this version; use sql"])
