"""`wxsync plan` and `wxsync apply`."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings, report_options
from wxsync.cli.output import EXIT_CHANGES, EXIT_DONE, EXIT_REFUSED, Reporter, exit_code_of, progress_bar
from wxsync.cli.source import show_sources, source_only_option
from wxsync.cli.waiting import ask, can_ask, run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.guard import check_approval
from wxsync.engine.person import check_alone
from wxsync.engine.reconcile import carry_out, holding, made_fresh, preview, refuse
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.mirror.journal import RunVerb
from wxsync.mirror.lease import Lease
from wxsync.model.run import Run
from wxsync.runtime import open_corp

only_person_option = click.option(
    "--only-person",
    metavar="KEY",
    help="Of the whole plan only the changes of this person, by source key or userid; not their tags.",
)


@click.command()
@click.argument("sync", required=False)
@report_options
@click.option("--exit-code", is_flag=True, help="Leave with 3 if there is anything to change.")
@click.option(
    "--adopt", is_flag=True, help="Show adoptions on weak evidence too, to be approved by the plan's digest."
)
@only_person_option
@source_only_option
@config_option
def plan(
    sync: str | None,
    format_: str,
    output: Path | None,
    language: str | None,
    show_personal: bool,
    exit_code: bool,
    adopt: bool,
    only_person: str | None,
    source_only: bool,
    config: Path | None,
) -> int:
    """Show what would change; write nothing to WeCom.

    Reads the sources, WeCom and the mirror, and prints every change with its reason.
    """
    settings = open_settings(config)
    name = chosen_sync(settings, sync)
    reporter = _reporter(settings, format_, output, language, show_personal)
    if source_only:
        if exit_code or adopt or only_person is not None:
            raise click.UsageError("--source-only makes no plan: leave out the other options about it.")
        return show_sources(settings, name, reporter)
    decision = run_to_end(_plan(settings, name, weak_too=adopt, person=only_person))
    reporter.show_plan(decision.plan)
    for change in decision.needed:
        what = f"{change.verb.value} {change.kind.value} {change.key}"
        click.echo(f"Needed before: {what}, so that apply refuses to do this alone", err=True)
    return EXIT_CHANGES if exit_code and decision.plan.writes else EXIT_DONE


async def _plan(settings: Settings, sync: str, *, weak_too: bool, person: str | None) -> Decision:
    async with open_corp(settings, sync) as corp:
        return (await preview(corp, weak_too=weak_too, person=person))[1]


@click.command()
@click.argument("sync", required=False)
@report_options
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option(
    "--approve",
    metavar="DIGEST",
    help="Carry out the plan with this digest, also over its limits, and no other plan.",
)
@only_person_option
@config_option
def apply(
    sync: str | None,
    format_: str,
    output: Path | None,
    language: str | None,
    show_personal: bool,
    yes: bool,
    approve: str | None,
    only_person: str | None,
    config: Path | None,
) -> int:
    """Plan, print the plan, check the limits, and write to WeCom.

    On a terminal it asks before it writes; elsewhere it needs --yes (or --approve). Exit codes: 0
    done, 4 refused and nothing written, 5 done but for some records.
    """
    settings = open_settings(config)
    name = chosen_sync(settings, sync)
    reporter = _reporter(settings, format_, output, language, show_personal)
    may_write = yes or approve is not None
    return run_to_end(_apply(settings, name, reporter, approve, only_person, may_write=may_write))


async def _apply(
    settings: Settings,
    sync: str,
    reporter: Reporter,
    approve: str | None,
    person: str | None,
    *,
    may_write: bool,
) -> int:
    reporter.claim_output()
    async with open_corp(settings, sync) as corp, holding(corp, "manual") as held:
        return await apply_once(corp, held, reporter, approve, person=person, may_write=may_write)


async def apply_once(
    corp: Corp,
    held: Lease,
    reporter: Reporter,
    approve: str | None,
    *,
    person: str | None = None,
    may_write: bool,
) -> int:
    """Plan, show, ask unless `may_write`, write and show what came of it; gives the exit code.

    Of one person alone where `person` says whose.
    """
    verb: RunVerb = "apply" if person is None else "repair"
    run_id, decision = await preview(corp, verb=verb, approved=approve, person=person)
    if reporter.format == "text":
        reporter.show_plan(decision.plan)
    try:
        check_approval(decision.plan, approve)
        check_alone(decision)
        if not may_write and decision.plan.writes:
            await _ask(corp, run_id, decision)
            decision = await made_fresh(corp, run_id, decision)
        run = await _carry_out(corp, run_id, decision, held, approve)
    except (GuardError, StalePlanError) as error:
        reporter.show_run(await refuse(corp, run_id, decision, error))
        _say_refused(error)
        return EXIT_REFUSED
    reporter.show_run(run)
    if run.error is not None:
        click.echo(f"Stopped: {run.error}", err=True)
    return exit_code_of(run)


async def _carry_out(corp: Corp, run_id: int, decision: Decision, held: Lease, approve: str | None) -> Run:
    with progress_bar() as bar:
        task = bar.add_task("wxsync apply", total=None)
        return await carry_out(
            corp,
            run_id,
            decision,
            held,
            approved=approve,
            approver=_user(),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _user() -> str:
    """Who approves; in a container there may be a number and no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _ask(corp: Corp, run_id: int, decision: Decision) -> None:
    """Go on only with a yes."""
    if not can_ask():
        raise GuardError(
            "nothing was written: without a terminal to ask on, apply needs --yes",
            hint=f"look at the plan, then run: wxsync apply {decision.plan.sync} --yes",
        )
    try:
        is_agreed = await ask("Write this to WeCom?")
    except asyncio.CancelledError:
        no_answer = GuardError("nothing was written: interrupted before it was answered")
        await refuse(corp, run_id, decision, no_answer)
        raise
    if not is_agreed:
        raise GuardError('nothing was written: the answer was "no"')


def _say_refused(error: WxsyncError) -> None:
    click.echo(f"Refused: {error.message}", err=True)
    if error.hint:
        click.echo(f"Hint:    {error.hint}", err=True)


def _reporter(
    settings: Settings, format_: str, output: Path | None, language: str | None, show_personal: bool
) -> Reporter:
    return Reporter(
        format_=format_,
        output=output,
        language=language or settings.service.language,
        show_personal=show_personal,
    )
