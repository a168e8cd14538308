"""`wxsync check`: does everything that the config names work?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.output import counted
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import refuse_emptiness
from wxsync.errors import WxsyncError
from wxsync.mirror import links
from wxsync.model.desired import Desired
from wxsync.model.member import MEMBER_FIELDS
from wxsync.model.seen import ReadingWay
from wxsync.runtime import open_corp
from wxsync.sources.reader import read_desired
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.probe import probe


@click.command()
@click.argument("sync", required=False)
@config_option
def check(sync: str | None, config: Path | None) -> int:
    """Connect to everything and say what works, and how to mend what does not. Writes nothing."""
    settings = open_settings(config)
    click.echo("ok       the config can be used")
    names = [chosen_sync(settings, sync)] if sync or len(settings.sync) == 1 else sorted(settings.sync)
    return max([run_to_end(_check(settings, name)) for name in names], default=0)


async def _check(settings: Settings, sync: str) -> int:
    faults = 0
    try:
        async with open_corp(settings, sync) as corp:
            click.echo(f"ok       sync {sync}: the mirror is there and its schema fits")
            unseen = await _say(f"sync {sync}: WeCom", _look_at_wecom(corp.wecom))
            if not unseen:
                unseen = await _say(f"sync {sync}: WeCom", _tell_way(corp))
            faults += unseen
            faults += await _say(f"sync {sync}: the source", _count(asyncio.to_thread(_read, corp)))
    except WxsyncError as error:
        _fault(f"sync {sync}", error)
        faults += 1
    return 1 if faults else 0


async def _look_at_wecom(contacts: Contacts) -> str:
    # A token is had from anywhere; only a real call shows whether this address is trusted (gotcha 20).
    departments = await contacts.list_departments()
    return f"answers; it has {counted(len(departments), 'department')}"


async def _tell_way(corp: Corp) -> str:
    insight = await probe(corp.wecom, corp.app)
    if insight.way is ReadingWay.IDS:
        whom = "this secret" if corp.app is None else "this secret and to the app"
        return f"shows nothing but ids to {whom}; names and fields are taken for what wxsync last wrote"
    whom = "the app" if insight.way is ReadingWay.APP else "this secret, from this address,"
    if not insight.is_sampled:
        return f"shows {whom} the names of departments; there is nobody yet to tell which fields it shows"
    hidden = [name for name in MEMBER_FIELDS if name not in ("departments", *insight.fields)]
    kept = f"; hidden, and taken for what wxsync last wrote: {', '.join(hidden)}" if hidden else ""
    return f"shows {whom} the names of departments, and of members: {', '.join(insight.fields)}{kept}"


def _read(corp: Corp) -> Desired:
    """What a plan would work with; a source that is suddenly empty is a fault here as it is there."""
    desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    with corp.store.reading() as connection:
        known = links.load(connection, corp.name, corp.sync)
    refuse_emptiness(desired, known, authority=corp.settings.sources[0])
    return desired


async def _count(reading: Awaitable[Desired]) -> str:
    desired = await reading
    proven = "" if desired.is_complete else "; the reading is NOT proven complete"
    given = (
        counted(len(desired.members), "person", "people"),
        counted(len(desired.departments), "department"),
        counted(len(desired.tags), "tag"),
    )
    return f"gives {', '.join(given)}; {len(desired.rejected)} rejected{proven}"


async def _say(what: str, looking: Awaitable[str]) -> int:
    try:
        click.echo(f"ok       {what} {await looking}")
    except WxsyncError as error:
        _fault(what, error)
        return 1
    return 0


def _fault(what: str, error: WxsyncError) -> None:
    click.echo(f"FAULT    {what}: " + error.message.replace("\n", "\n         "))
    if error.hint:
        click.echo(f"         {error.hint}")
