"""`wxsync baseline`: the operator's word that WeCom has what the source says."""

from __future__ import annotations

from pathlib import Path

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.baseline import BASELINE_FIELDS, Baseline, baseline_of, remember_baseline
from wxsync.engine.reconcile import holding, preview
from wxsync.errors import WxsyncError
from wxsync.runtime import open_corp

FIELDS = (*BASELINE_FIELDS, "extattr")


@click.command()
@click.argument("sync", required=False)
@click.option("--fields", help=f"Only these, with commas between: {', '.join(FIELDS)}.")
@click.option("--person", metavar="KEY", help="Only this person, by the source's key.")
@config_option
def baseline(sync: str | None, fields: str | None, person: str | None, config: Path | None) -> None:
    """Take the source's values as what WeCom has, where nobody can read it there.

    After an adoption most fields of a member are unknown. Whoever knows that WeCom and the source
    agree says so with this command; else wxsync writes all of them, in runs that keep the limits.
    It changes what wxsync remembers, and nothing in WeCom.
    """
    settings = open_settings(config)
    chosen = _fields(fields)
    taken = run_to_end(_take(settings, chosen_sync(settings, sync), chosen, person))
    click.echo(f"remembered for {len(taken.keys)} members, {len(taken.departments)} department names")
    for name, count in taken.fields.items():
        click.echo(f"  {name}: {count}")


def _fields(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(names - set(FIELDS))
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: name some of {', '.join(FIELDS)}", param_hint="--fields"
        )
    return names


async def _take(settings: Settings, sync: str, fields: frozenset[str] | None, person: str | None) -> Baseline:
    async with open_corp(settings, sync) as corp, holding(corp, "baseline") as held:
        _, decision = await preview(corp, trigger="baseline")
        rejected = [row for row in decision.plan.rejected if row.key == person]
        if person is not None and rejected:
            problem = "; ".join(f"{row.field}: {row.problem}" for row in rejected)
            raise WxsyncError(
                f"nothing was remembered: the row of {person} is rejected ({problem})",
                hint="mend the row, then say it again",
            )
        if person is not None and person not in decision.actual.members:
            raise WxsyncError(
                f"{person} is not a member of ours who is in WeCom",
                hint="`wxsync plan` tells what it is: unadopted, rejected, not yet created",
            )
        taken = baseline_of(decision, fields, person)
        await remember_baseline(corp, held, taken)
        return taken
