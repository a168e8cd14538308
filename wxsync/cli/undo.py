"""`wxsync undo`: a plan that takes a run back."""

from __future__ import annotations

from pathlib import Path

import click

from wxsync.cli.history import MOST
from wxsync.cli.options import config_option, open_mirror, open_settings, report_options
from wxsync.cli.output import EXIT_DONE, Reporter
from wxsync.cli.sync import apply_once, reporter_of
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import holding, preview
from wxsync.engine.undoing import check_undoable
from wxsync.errors import WxsyncError
from wxsync.mirror import journal
from wxsync.model.plan import Plan
from wxsync.runtime import open_corp


@click.command()
@click.argument("run", type=click.IntRange(1, MOST))
@report_options
@click.option("--apply", "is_meant", is_flag=True, help="Carry it out; without this it is only shown.")
@click.option("--yes", is_flag=True, help="With --apply: do not ask before writing.")
@click.option(
    "--approve",
    metavar="DIGEST",
    help="With --apply: carry out the undo with this digest, also over its limits, and no other plan.",
)
@config_option
def undo(
    run: int,
    format_: str,
    output: Path | None,
    language: str | None,
    show_personal: bool,
    is_meant: bool,
    yes: bool,
    approve: str | None,
    config: Path | None,
) -> int:
    """Show how RUN can be taken back; with --apply, take it back.

    What RUN changed and nobody changed since gets the values that it had before. What the run created
    stays. What cannot come back is listed. No source is read; limits hold as for any plan. After it the
    next plan that follows the sources waits for approval.
    """
    if not is_meant and (yes or approve is not None):
        raise click.UsageError("--yes and --approve are of use with --apply only.")
    settings = open_settings(config)
    sync = _sync_of(settings, run)
    reporter = reporter_of(settings, format_, output, language, show_personal)
    if is_meant:
        may_write = yes or approve is not None
        return run_to_end(_undo(settings, sync, reporter, run, approve, may_write=may_write))
    reporter.show_plan(run_to_end(_plan(settings, sync, run)))
    return EXIT_DONE


def _sync_of(settings: Settings, run: int) -> str:
    """The sync whose run it is. Raises WxsyncError where the run wrote nothing, or its sync is gone."""
    with open_mirror(settings) as store, store.reading() as connection:
        record = check_undoable(journal.record(connection, run), run)
    if record.sync not in settings.sync:
        raise WxsyncError(
            f"run {run} is of sync {record.sync}, which the config does not have",
            hint="put it into the config as it was, with its corp",
        )
    return record.sync


async def _plan(settings: Settings, sync: str, run: int) -> Plan:
    async with open_corp(settings, sync) as corp:
        return (await preview(corp, trigger="undo", undoes=run))[1].plan


async def _undo(
    settings: Settings, sync: str, reporter: Reporter, run: int, approve: str | None, *, may_write: bool
) -> int:
    reporter.claim_output()
    async with open_corp(settings, sync) as corp, holding(corp, "undo") as held:
        return await apply_once(corp, held, reporter, approve, undoes=run, may_write=may_write)
