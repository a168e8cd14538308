"""`wxsync plan` and `wxsync apply`."""

from __future__ import annotations

import asyncio
import os
import pwd
from pathlib import Path
from typing import Final

import click

from wxsync.cli.options import chosen_sync, config_option, open_settings, report_options
from wxsync.cli.output import EXIT_CHANGES, EXIT_DONE, EXIT_REFUSED, Reporter, exit_code_of, progress_bar
from wxsync.cli.source import show_sources, source_only_option
from wxsync.cli.waiting import ask, can_ask, run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.approving import right_of
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.person import check_alone
from wxsync.engine.reconcile import carry_out, holding, made_fresh, narrowed, preview, refuse
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.mirror.journal import RunVerb
from wxsync.mirror.lease import Lease
from wxsync.model.approval import Operator, OperatorKind
from wxsync.model.change import VERBS, Verb
from wxsync.model.run import Run
from wxsync.runtime import open_corp

PARTS: Final = tuple(
    f"{kind.value}:{verb.value}" for kind, verbs in VERBS.items() for verb in verbs if verb is not Verb.KEEP
)
"""Every part that a plan may have."""

only_person_option = click.option(
    "--only-person",
    metavar="KEY",
    help="Of the whole plan only the changes of this person, by source key or userid; not their tags.",
)


only_option = click.option(
    "--only",
    metavar="KIND:VERB",
    type=click.Choice(PARTS),
    multiple=True,
    help="Of the approved plan only this, as member:create, with what it needs; may be given again.",
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
    reporter = reporter_of(settings, format_, output, language, show_personal)
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
@only_option
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
    only: tuple[str, ...],
    only_person: str | None,
    config: Path | None,
) -> int:
    """Plan, print the plan, check the limits, and write to WeCom.

    On a terminal it asks before it writes; elsewhere it needs --yes (or --approve). Exit codes: 0
    done, 4 refused and nothing written, 5 done but for some records.
    """
    if only and (approve is None or only_person is not None):
        raise click.UsageError("--only is for a part of an approved plan: give --approve too, and no person.")
    settings = open_settings(config)
    name = chosen_sync(settings, sync)
    reporter = reporter_of(settings, format_, output, language, show_personal)
    may_write = yes or approve is not None
    return run_to_end(_apply(settings, name, reporter, approve, only_person, only, may_write=may_write))


async def _apply(
    settings: Settings,
    sync: str,
    reporter: Reporter,
    approve: str | None,
    person: str | None,
    parts: tuple[str, ...],
    *,
    may_write: bool,
) -> int:
    reporter.claim_output()
    async with open_corp(settings, sync) as corp, holding(corp, "manual") as held:
        return await apply_once(
            corp, held, reporter, approve, person=person, parts=parts, may_write=may_write
        )


async def apply_once(
    corp: Corp,
    held: Lease,
    reporter: Reporter,
    approve: str | None,
    *,
    person: str | None = None,
    undoes: int | None = None,
    parts: tuple[str, ...] = (),
    may_write: bool,
) -> int:
    """Plan, show, ask unless `may_write`, write and show what came of it; gives the exit code.

    Of one person alone where `person` says whose; `undoes` is a run that is to be taken back; `parts` are
    those of the approved plan that are wanted.
    """
    verb: RunVerb = "undo" if undoes is not None else "apply" if person is None and not parts else "repair"
    run_id, decision = await preview(corp, verb=verb, approved=approve, person=person, undoes=undoes)
    narrowing = await _narrowed(corp, run_id, decision, parts) if parts else decision
    decision = narrowing if isinstance(narrowing, Decision) else decision
    if reporter.format == "text":
        reporter.show_plan(decision.plan)
    try:
        await right_of(corp, run_id, decision, approve, parts)
        if isinstance(narrowing, GuardError):
            raise narrowing
        check_alone(decision)
        if not may_write and decision.plan.writes:
            await _ask(corp, run_id, decision)
            decision = await made_fresh(corp, run_id, decision)
        run = await _carry_out(corp, run_id, decision, held, approve, parts)
    except (GuardError, StalePlanError) as error:
        reporter.show_run(await refuse(corp, run_id, decision, error))
        _say_refused(error)
        return EXIT_REFUSED
    reporter.show_run(run)
    if run.error is not None:
        click.echo(f"Stopped: {run.error}", err=True)
    return exit_code_of(run)


async def _narrowed(
    corp: Corp, run_id: int, decision: Decision, parts: tuple[str, ...]
) -> Decision | GuardError:
    """The parts of the plan; what is to be told, once the plan is shown, where it has nothing of them."""
    try:
        return await narrowed(corp, run_id, decision, parts)
    except GuardError as error:
        return error


async def _carry_out(
    corp: Corp,
    run_id: int,
    decision: Decision,
    held: Lease,
    approve: str | None,
    parts: tuple[str, ...],
) -> Run:
    with progress_bar() as bar:
        task = bar.add_task("wxsync apply", total=None)
        return await carry_out(
            corp,
            run_id,
            decision,
            held,
            approved=approve,
            approver=str(operator()),
            parts=parts,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def operator() -> Operator:
    """Who sits here, by the kernel's word and no variable's; in a container a number may have no name."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return Operator(kind=OperatorKind.USER, name=name)


async def _ask(corp: Corp, run_id: int, decision: Decision) -> None:
    """Go on only with a yes."""
    if not can_ask():
        raise GuardError(
            "nothing was written: without a terminal to ask on, apply needs --yes",
            hint=f"look at the plan, then run: {decision.plan.command} --yes",
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


def reporter_of(
    settings: Settings, format_: str, output: Path | None, language: str | None, show_personal: bool
) -> Reporter:
    """What shows plans and runs as the options say."""
    return Reporter(
        format_=format_,
        output=output,
        language=language or settings.service.language,
        show_personal=show_personal,
    )
