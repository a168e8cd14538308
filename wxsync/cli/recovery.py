"""`wxsync db restored` and `wxsync db rebuild`: what is said after the mirror was lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.output import counted
from wxsync.cli.waiting import must_agree, run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.rebuild import Rebuild
from wxsync.engine.rebuilding import propose_rebuild, remember_rebuild
from wxsync.engine.reconcile import holding
from wxsync.mirror import schema
from wxsync.mirror.restoring import restore
from wxsync.model.change import Kind
from wxsync.model.saved_plan import SavedPlan
from wxsync.report.from_json import read_saved_plan
from wxsync.report.locale.translate import translate
from wxsync.runtime import open_corp

MOST_SHOWN: Final = 20
"""Keys that are shown of a kind."""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask before.")
@config_option
def restored(yes: bool, config: Path | None) -> None:
    """Say that this mirror is a restored backup: none of its remembered values is believed.

    What is ours stays ours. What WeCom hides is unknown and is written once more, so that nothing that
    changed since the backup can hide. The next plan that would change anybody waits for approval. It writes
    nothing to WeCom.
    """
    settings = open_settings(config)
    place = schema.existing(settings.mirror.full_url).place
    must_agree(f"Is {place} a restored backup? Nothing that it remembers is believed then.", yes=yes)
    syncs = [(sync.corp, name) for name, sync in settings.sync.items()]
    found = restore(settings.mirror.full_url, syncs, datetime.now(UTC))
    ours = ", ".join(
        (
            counted(found.members, "member"),
            counted(found.departments, "department"),
            counted(found.tags, "tag"),
        )
    )
    click.echo(f"{place} is the mirror; {ours} are ours, and what they hold is not known.")
    _list("Whose creation was under way: whoever of them is in WeCom is to be adopted", found.announced)
    _list("Whom wxsync had disabled: whoever of them is back is to be enabled by hand", found.disabled)
    if found.runs:
        click.echo(f"Runs that were at work, and are closed: {', '.join(map(str, found.runs))}")
    if found.jobs:
        click.echo(f"Imports that were under way, and are given up: {', '.join(map(str, found.jobs))}")
    click.echo("Look at the next plan, and approve it: wxsync plan")


@click.command()
@click.argument("sync", required=False)
@click.option(
    "--plan",
    "plans",
    multiple=True,
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A plan or run that --format json wrote; several are taken as they follow each other.",
)
@click.option("--yes", is_flag=True, help="Do it; without this it only shows what it would do.")
@config_option
def rebuild(sync: str | None, plans: tuple[Path, ...], yes: bool, config: Path | None) -> None:
    """After the loss of the mirror, take for ours whom saved plans call ours; for a fresh mirror.

    Each is looked for in WeCom and in the source. Of what they hold nothing is known. A plan names only
    those of whom it has something to say: everybody else is for adoption. It writes nothing to WeCom, and
    without --yes it changes nothing at all.
    """
    settings = open_settings(config)
    name = chosen_sync(settings, sync)
    saved = [read_saved_plan(path) for path in plans]
    found = run_to_end(_rebuild(settings, name, saved, is_meant=yes))
    _show(found, name, settings.service.language)
    if yes:
        click.echo("Remembered. The next plan that would change anybody waits for approval.")
    else:
        click.echo("Nothing was changed. To do it, say the same with --yes.")


async def _rebuild(settings: Settings, sync: str, saved: Sequence[SavedPlan], *, is_meant: bool) -> Rebuild:
    async with open_corp(settings, sync) as corp:
        if not is_meant:
            return await propose_rebuild(corp, saved)
        async with holding(corp, "rebuild") as held:
            found = await propose_rebuild(corp, saved)
            await remember_rebuild(corp, held, found)
            return found


def _show(found: Rebuild, sync: str, language: str) -> None:
    for kind, links in (
        (Kind.DEPARTMENT, found.departments),
        (Kind.MEMBER, found.members),
        (Kind.TAG, found.tags),
    ):
        more = found.unnamed[kind]
        rest = f"; {more} more in the source" if more else ""
        click.echo(f"{counted(len(links), kind.value)} by the plans{rest}")
    if found.left:
        click.echo(f"{counted(len(found.left), 'record')} of the plans not taken for ours:")
    for each in found.left[:MOST_SHOWN]:
        click.echo(f"  {each.kind.value} {each.key}: {translate(each.why, language)}")
    _say_more(len(found.left))
    if any(found.unnamed.values()):
        click.echo(
            "The plans do not name everybody. The rest is for adoption (policy.adopt, adopt_departments;"
            f" wxsync plan {sync} --adopt); wxsync baseline {sync} says that WeCom has the source's values."
        )


def _list(what: str, keys: Sequence[str]) -> None:
    if keys:
        click.echo(f"{what} ({len(keys)}):")
        click.echo("  " + ", ".join(keys[:MOST_SHOWN]))
        _say_more(len(keys))


def _say_more(count: int) -> None:
    if count > MOST_SHOWN:
        click.echo(f"  and {count - MOST_SHOWN} more")
