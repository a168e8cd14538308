"""The story of `wxsync demo`: every step looks at what it has done, and stops where that is not right."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from wxsync.cli.demo_company import Company, found_company, levels_of, write_company
from wxsync.cli.demo_config import CONFIG, HR, REPORT, SYNC, TAG_COUNT, config_text
from wxsync.cli.demo_day import Day, have_a_day
from wxsync.cli.demo_proof import unlike
from wxsync.cli.demo_teller import Teller
from wxsync.cli.output import EXIT_DONE, Reporter, exit_code_of, progress_bar, write_private
from wxsync.config.loader import load_settings
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.errors import WxsyncError
from wxsync.model.change import Kind, Verb
from wxsync.model.message import say
from wxsync.model.plan import Plan
from wxsync.model.run import Run
from wxsync.report.as_html import html_of_plan
from wxsync.report.view import view_plan
from wxsync.report.wording import wording_for
from wxsync.runtime import open_corp
from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState

ADMIN: Final = "admin"
ADMIN_NAME: Final = "企业管理员"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story plays, and what in it is looked at."""

    folder: Path
    state: SandboxState
    teller: Teller
    base_url: str

    @property
    def language(self) -> str:
        return self.teller.language

    @property
    def reporter(self) -> Reporter:
        """What prints the reports of the real commands."""
        return Reporter(format_="text", output=None, language=self.language, show_personal=False)

    @property
    def writes(self) -> int:
        """How many calls that write WeCom has been sent."""
        return len(self.state.writes)

    def load(self) -> Settings:
        """The config, read again as each command does."""
        return load_settings(self.folder / CONFIG).settings

    def expect(self, holds: bool, what: str) -> None:
        """Stop the story where it is not as it should be."""
        if not holds:
            raise WxsyncError(f"this should hold, and does not: {what}")

    def expect_no_invitations(self) -> None:
        """Nobody hears of an account that was created for them (contract §6.7)."""
        self.expect(not self.state.invitations, "nobody is invited")


def tell_story(stage: Stage, members: int) -> None:
    """The whole story, step by step. Raises WxsyncError where a step is not as it should be."""
    company = _set_up(stage, members)
    _load_first(stage, company, members)
    _look_again(stage)
    day = _change(stage)
    plan = _rehearse(stage, day)
    _apply_day(stage, day, plan)
    _find_nothing(stage)


def _set_up(stage: Stage, members: int) -> Company:
    tell = stage.teller
    tell.step(say("A company, its HR database, and a WeCom"))
    company = found_company(members)
    write_company(company, stage.folder / HR)
    tell.note(
        say(
            "{file}: a SQLite database with {people} people at work and {left} more who left, in "
            "{departments} departments on {levels} levels. {several} people belong to more than one.",
            file=HR,
            people=members,
            left=len(company.people) - members,
            departments=len(company.units) - 1,
            levels=levels_of(company),
            several=sum(number > 1 for number in Counter(place[0] for place in company.places).values()),
        )
    )
    url = stage.base_url
    tell.note(say("{url}: a local WeCom with nobody in it but its administrator.", url=url))
    _write_config(stage)
    tell.note(say("{file}: the config, which says what of the one goes where in the other.", file=CONFIG))
    return company


def _write_config(stage: Stage) -> None:
    text = config_text(
        base_url=stage.base_url,
        corp_id=stage.state.corp_id,
        contact_secret=stage.state.contact_secret,
        admin=ADMIN,
        language=stage.language,
    )
    write_private(stage.folder / CONFIG, text)


def _load_first(stage: Stage, company: Company, members: int) -> None:
    tell = stage.teller
    tell.step(say("First load: everybody is new"), "wxsync apply")
    run = asyncio.run(_apply(stage, lambda plan: _sum_up(stage, plan)))
    if exit_code_of(run) != EXIT_DONE:
        stage.reporter.show_run(run)
    created = {kind: counts[Verb.CREATE] for kind, counts in run.plan.summary.items()}
    wanted = {Kind.DEPARTMENT: len(company.units) - 1, Kind.MEMBER: members, Kind.TAG: TAG_COUNT}
    stage.expect(created == wanted, f"the first load creates {wanted}, and it was {created}")
    _expect_done(stage, run)
    tell.good(
        say(
            "{people} people, {departments} departments and {tags} tags are in WeCom, after {calls} calls.",
            people=created[Kind.MEMBER],
            departments=created[Kind.DEPARTMENT],
            tags=created[Kind.TAG],
            calls=stage.writes,
        )
    )
    stage.expect_no_invitations()
    tell.good(say("Nobody was invited. wxsync does that only where the policy asks for it."))


def _sum_up(stage: Stage, plan: Plan) -> None:
    """The last lines of the report; the whole of a first load is a line for everybody."""
    view = view_plan(plan, wording_for(plan, language=stage.language, show_personal=False))
    stage.teller.note(view.total)
    stage.teller.note(view.forecast)


def _look_again(stage: Stage) -> None:
    stage.teller.step(say("A second look: nothing to do"), "wxsync plan")
    _expect_nothing(stage)
    stage.teller.good(say("The plan is empty, and WeCom got no call that writes."))


def _change(stage: Stage) -> Day:
    tell = stage.teller
    tell.step(say("A day in HR"))
    day = have_a_day(stage.folder / HR, datetime.now(ZoneInfo("Asia/Shanghai")).date())
    tell.note(say("The HR system changes its own tables, and knows nothing of wxsync:"))
    tell.table(
        (say("What"), say("Who"), say("Details")),
        ((event.what, event.who, event.detail) for event in day.events),
    )
    return day


def _rehearse(stage: Stage, day: Day) -> Plan:
    tell = stage.teller
    tell.step(say("Dry run: what would change, and why"), "wxsync plan")
    before = stage.writes
    plan = asyncio.run(_plan(stage))
    tell.gap()
    stage.reporter.show_plan(plan)
    tell.gap()
    _expect_day(stage, day, plan)
    stage.expect(stage.writes == before, "a dry run makes no call that writes")
    tell.good(say("WeCom was read and not written: not one call."))
    write_private(stage.folder / REPORT, html_of_plan(plan, language=stage.language, show_personal=False))
    tell.good(say("The same as a page for the browser is in {file}:", file=REPORT))
    tell.typed(f"wxsync plan --format html --output {REPORT}")
    return plan


def _expect_day(stage: Stage, day: Day, plan: Plan) -> None:
    people, units = plan.summary[Kind.MEMBER], plan.summary[Kind.DEPARTMENT]
    found = (people[Verb.CREATE], people[Verb.DISABLE], units[Verb.CREATE], units[Verb.UPDATE])
    wanted = (day.hires, day.leavers, day.new_departments, day.changed_departments)
    stage.expect(
        found == wanted,
        f"hires, leavers, new and changed departments are {wanted}, and the plan has {found}",
    )
    stage.expect(not plan.exceeded, "the plan is within all limits")
    stage.expect(not plan.rejected, "no row is rejected")


def _apply_day(stage: Stage, day: Day, planned: Plan) -> None:
    tell = stage.teller
    tell.step(say("Apply"), "wxsync apply")
    before = stage.writes
    run = asyncio.run(_apply(stage, lambda plan: _expect_same(stage, planned, plan)))
    tell.gap()
    stage.reporter.show_run(run)
    tell.gap()
    _expect_done(stage, run)
    disabled = sum(not member.enable for member in stage.state.members.values())
    stage.expect(disabled == day.leavers, f"{day.leavers} accounts are disabled, and {disabled} are")
    calls = stage.writes - before
    tell.good(say("It was the very plan of the dry run, and took {calls} calls.", calls=calls))


def _expect_same(stage: Stage, planned: Plan, plan: Plan) -> None:
    stage.expect(plan.digest == planned.digest, "what is to be applied is what the dry run showed")


def _find_nothing(stage: Stage) -> None:
    tell = stage.teller
    tell.step(say("Nothing left"), "wxsync plan")
    _expect_nothing(stage)
    tell.good(say("The plan is empty, and WeCom got no call that writes."))
    different = unlike(stage.folder / HR, stage.state, ADMIN)
    stage.expect(not different, f"WeCom has what HR has; these differ: {', '.join(different[:5])}")
    tell.good(
        say(
            "Compared one by one, WeCom has everybody as the HR database does: name, phone, e-mail, title, "
            "departments, leaders, tags."
        )
    )
    admin = stage.state.member(ADMIN)
    is_untouched = (admin.name, admin.department, admin.enable) == (ADMIN_NAME, (ROOT,), 1)
    stage.expect(is_untouched, "the administrator is as before")
    tell.good(say("The administrator, who is not of wxsync's making, is as before."))
    stage.expect_no_invitations()
    tell.good(say("No invitation was sent."))


def _expect_done(stage: Stage, run: Run) -> None:
    stage.expect(exit_code_of(run) == EXIT_DONE, f"all of run {run.id} is done (see wxsync runs {run.id})")


def _expect_nothing(stage: Stage) -> None:
    before = stage.writes
    plan = asyncio.run(_plan(stage))
    changes = ", ".join(f"{change.verb} {change.key}" for change in plan.writes[:5])
    stage.expect(not plan.writes, f"the plan right after a clean run is empty; it has: {changes}")
    stage.expect(stage.writes == before, "a plan makes no call that writes")


async def _plan(stage: Stage) -> Plan:
    """What `wxsync plan` does."""
    async with open_corp(stage.load(), SYNC) as corp:
        return (await preview(corp, trigger="demo"))[1].plan


async def _apply(stage: Stage, show: Callable[[Plan], None]) -> Run:
    """What `wxsync apply` does once it has its yes; the limits hold here too."""
    async with open_corp(stage.load(), SYNC) as corp, holding(corp, "demo") as held:
        run_id, decision = await preview(corp, verb="apply", trigger="demo")
        show(decision.plan)
        with progress_bar() as bar:
            task = bar.add_task("wxsync apply", total=None)
            return await carry_out(
                corp,
                run_id,
                decision,
                held,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
