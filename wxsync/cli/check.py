"""`wxsync check`: does everything that the config names work?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import refuse_emptiness
from wxsync.errors import WxsyncError
from wxsync.mirror import links
from wxsync.model.desired import Desired
from wxsync.runtime import open_corp
from wxsync.sources.reader import read_desired
from wxsync.wecom.contacts import Contacts


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
            faults += await _say(f"sync {sync}: WeCom", _look_at_wecom(corp.wecom))
            faults += await _say(f"sync {sync}: the source", _count(asyncio.to_thread(_read, corp)))
    except WxsyncError as error:
        _fault(f"sync {sync}", error)
        faults += 1
    return 1 if faults else 0


async def _look_at_wecom(contacts: Contacts) -> str:
    # A token is had from anywhere; only a real call shows whether this address is trusted (gotcha 20).
    departments = await contacts.list_departments()
    return f"answers; it has {len(departments)} departments"


def _read(corp: Corp) -> Desired:
    """What a plan would work with; a source that is suddenly empty is a fault here as it is there."""
    desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    with corp.store.reading() as connection:
        refuse_emptiness(desired, links.load(connection, corp.name, corp.sync))
    return desired


async def _count(reading: Awaitable[Desired]) -> str:
    desired = await reading
    proven = "" if desired.is_complete else "; the reading is NOT proven complete"
    return (
        f"gives {len(desired.members)} people, {len(desired.departments)} departments, "
        f"{len(desired.tags)} tags; {len(desired.rejected)} rejected{proven}"
    )


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
