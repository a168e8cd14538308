"""`wxsync rekey`: the source has new keys for the same people and departments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.output import counted
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import holding
from wxsync.engine.rekeying import Proposal, propose, remember_keys
from wxsync.model.change import Kind
from wxsync.model.rekey import KeyPair
from wxsync.runtime import open_corp
from wxsync.sources.key_pairs import read_key_pairs

BY_USERID: Final = "userid"
MOST_SHOWN: Final = 20
"""Pairs of a kind that are shown; all of them are where nobody looks on."""


@click.command()
@click.argument("sync", required=False)
@click.option(
    "--by",
    required=True,
    metavar="userid|FILE",
    help="How people are recognised: by their userid, or by a file with the columns old and new.",
)
@click.option("--yes", is_flag=True, help="Do it; without this it only shows what it would do.")
@click.option("--all", "show_all", is_flag=True, help=f"Show every pair, not only {MOST_SHOWN} of a kind.")
@config_option
def rekey(sync: str | None, by: str, yes: bool, show_all: bool, config: Path | None) -> None:
    """Follow the source to other keys: the same people and departments, by other names.

    After a directory migration, or a new numbering in HR, everybody would leave and somebody else
    would join. This gives what wxsync remembers the new keys. It writes nothing to WeCom, and without
    --yes it changes nothing at all.
    """
    settings = open_settings(config)
    pairs = None if by == BY_USERID else read_key_pairs(Path(by))
    proposal = run_to_end(_rekey(settings, chosen_sync(settings, sync), pairs, is_meant=yes))
    _show(proposal, None if show_all else MOST_SHOWN)
    if not proposal.rekeyed.pairs:
        click.echo("Nothing to do: no key of ours has become another one.")
    elif yes:
        click.echo("Remembered. The next plan goes by the new keys.")
    else:
        click.echo("Nothing was changed. To do it, say the same with --yes.")


async def _rekey(
    settings: Settings, sync: str, pairs: Sequence[KeyPair] | None, *, is_meant: bool
) -> Proposal:
    async with AsyncExitStack() as stack:
        corp = await stack.enter_async_context(open_corp(settings, sync))
        if not is_meant:
            return await propose(corp, pairs)
        held = await stack.enter_async_context(holding(corp, "rekey"))
        proposal = await propose(corp, pairs)
        await remember_keys(corp, held, proposal)
        return proposal


def _show(proposal: Proposal, most: int | None) -> None:
    for kind in (Kind.DEPARTMENT, Kind.MEMBER):
        pairs = [pair for pair in proposal.rekeyed.pairs if pair.kind is kind]
        click.echo(counted(len(pairs), f"{kind.value} with another key", f"{kind.value}s with other keys"))
        for pair in pairs[:most]:
            click.echo(f"  {pair.old} -> {pair.new}{_whose(pair, proposal)}")
        _say_more(len(pairs), most)
    if proposal.left_over:
        count = counted(len(proposal.left_over), "member of ours is", "members of ours are")
        click.echo(f"{count} in no source after that, and leave by the next plan:")
        click.echo("  " + ", ".join(proposal.left_over[:most]))
        _say_more(len(proposal.left_over), most)


def _whose(pair: KeyPair, proposal: Proposal) -> str:
    if pair.kind is Kind.MEMBER:
        return f" ({proposal.remembered.members[pair.old].member.userid})"
    return f" (department {proposal.remembered.departments[pair.old].id})"


def _say_more(count: int, most: int | None) -> None:
    if most is not None and count > most:
        click.echo(f"  and {count - most} more")
