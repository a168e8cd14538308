"""`wxsync notify test`: does a message reach those whom the daemon would tell?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from wxsync.cli.options import chosen_sync, config_option, open_mirror, open_settings
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.model.notice import Notice, NoticeKind, NoticeState
from wxsync.runtime import utc_now
from wxsync.service.notify.delivery import Delivery
from wxsync.service.notify.parcel import Delivered, Parcel


@click.group()
def notify() -> None:
    """Whom the daemon tells what happened."""


@notify.command("test")
@click.argument("sync", required=False)
@click.option(
    "--by",
    "channels",
    multiple=True,
    metavar="NAME",
    help="A [notify.NAME] of the config; may be given several times [default: those of the sync].",
)
@config_option
def test(sync: str | None, channels: tuple[str, ...], config: Path | None) -> int:
    """Send a message that says it is a test, by each channel, and say what became of it.

    Neither the source nor the directory is asked for anything. It ends with 1 where one was not delivered.
    """
    settings = open_settings(config)
    name = chosen_sync(settings, sync)
    delivered = run_to_end(_send(settings, name, _chosen(settings, name, channels)))
    return 0 if delivered else 1


def _chosen(settings: Settings, sync: str, channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that are tried. Raises UsageError where there is none, or none of that name."""
    chosen = tuple(dict.fromkeys(channels)) or settings.sync[sync].notify
    known = ", ".join(sorted(settings.notify)) or "none"
    if not chosen:
        raise click.UsageError(
            f"sync.{sync}.notify is empty: nobody is told of it. Name the channels there, or one of them"
            f" with --by (the config has: {known})."
        )
    for name in chosen:
        if name not in settings.notify:
            raise click.UsageError(f"There is no [notify.{name}] in the config; it has: {known}.")
    return chosen


async def _send(settings: Settings, sync: str, channels: Sequence[str]) -> bool:
    """Channel by channel, each told of as soon as it is known; True where all were delivered."""
    are_delivered = True
    now = utc_now().astimezone(ZoneInfo(settings.sync[sync].time_zone))
    with open_mirror(settings) as store:
        delivery = Delivery(store=store)
        for number, name in enumerate(channels, round(now.timestamp() * 1000)):
            delivered = await delivery.send(settings, _parcel(settings, sync, name, now, number))
            click.echo(_said(delivered, f"notify.{name} ({settings.notify[name].type})"))
            are_delivered &= delivered.state is NoticeState.SENT
    return are_delivered


def _parcel(settings: Settings, sync: str, channel: str, now: datetime, number: int) -> Parcel:
    """With a number that no other has, or a receiver would take it for one that it had before."""
    notice = Notice(kind=NoticeKind.TEST, corp=settings.sync[sync].corp, sync=sync, at=now)
    return Parcel(number=number, channel=channel, notice=notice)


def _said(delivered: Delivered, channel: str) -> str:
    match delivered.state:
        case NoticeState.SENT if delivered.problem:
            return f"sent     {channel}, but not to everybody: {delivered.problem}"
        case NoticeState.SENT:
            return f"sent     {channel}"
        case NoticeState.UNKNOWN:
            return f"in doubt {channel}: it may have arrived. {delivered.problem}"
        case _:
            return f"FAULT    {channel}: {delivered.problem}"
