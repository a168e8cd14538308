"""Where the journeys are played: a config, an HR database, a sandbox in WeCom's place, a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.open_mirror import kept_open
from wxsync.config.settings import Settings
from wxsync.engine.apply import Progress
from wxsync.engine.baseline import Baseline, baseline_of, remember_baseline
from wxsync.engine.bell import Pauses
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.reconcile import carry_out, holding, narrowed, preview, refuse
from wxsync.errors import GuardError, StalePlanError
from wxsync.mirror import journal
from wxsync.mirror.store import Store
from wxsync.model.change import Change
from wxsync.model.run import Outcome, OutcomeState, Run
from wxsync.runtime import open_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.sources.base import Source
from wxsync.wecom.retries import Patience

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Nine o'clock in Shanghai."""

IMPATIENT = Pauses(first=0.001, longest=0.01)
"""Jobs of this sandbox are over within a moment."""

MEMBER: Mapping[str, object] = {
    "key": "emp_no",
    "userid": "emp_no | lower",
    "name": "full_name",
    "alias": "alias",
    "gender": "gender",
    "mobile": "mobile",
    "email": "email",
    "position": "title",
    "departments": "dept_code",
    "direct_leader": "manager_no",
    "active": "status == 'active'",
    "starts": "hire_date",
    "ends": "leave_date",
}

POLICY: Mapping[str, object] = {
    "leavers": "disable",
    "empty_departments": "delete",
    "adopt": [],
    "empty_tags": "delete",
    "clear_when_empty": ["alias", "position"],
}


def settings_of(
    hr_url: str,
    mirror: Path,
    *,
    policy: Mapping[str, object] | None = None,
    member: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    source: Mapping[str, object] | None = None,
    app: Mapping[str, object] | None = None,
    **sync: object,
) -> Settings:
    """The config of every journey, with what a story wants otherwise."""
    return Settings.model_validate(
        {
            "mirror": {"url": f"sqlite:///{mirror}"},
            "corp": {
                "acme": {
                    "corp_id": "ww5a6d626f78000001",
                    "base_url": "https://wecom.test",
                    "contact_secret": "sandbox-contact-secret",
                    "app": app,
                }
            },
            "source": {
                "hr": {
                    "type": "sql",
                    "url": hr_url,
                    "departments": "SELECT code, parent_code, name, sort FROM departments",
                    "members": "SELECT * FROM employees",
                    "memberships": 'SELECT emp_no, dept_code, is_leader, sort AS "order" '
                    "FROM employee_departments",
                    "tags": "SELECT tag, emp_no FROM employee_tags",
                    **(source or {}),
                }
            },
            "sync": {
                "acme": {
                    "corp": "acme",
                    "sources": ["hr"],
                    "mode": "apply",
                    "department": {
                        "key": "code",
                        "parent": "parent_code",
                        "name": "name",
                        "order": "sort",
                        "root": "code == 'HQ'",
                    },
                    "member": {**MEMBER, **(member or {})},
                    "tags": {"干部": "grade >= 10"} if tags is None else tags,
                    "policy": {**POLICY, **(policy or {})},
                    "limits": limits or {},
                    **sync,
                }
            },
        }
    )


@dataclass
class Stage:
    """One sync of one corp. Every step opens all but the mirror anew, as each run of the daemon does."""

    settings: Settings
    state: SandboxState = field(default_factory=lambda: SandboxState(job_seconds=0.02))
    now: datetime = MORNING
    sources: Sequence[Source] | None = None
    """Sources in the place of the configured ones."""
    line: httpx.AsyncBaseTransport | None = None
    """In the place of the sandbox's own transport."""
    sync: str = "acme"
    confirm_reads: int = 1
    """As the daemon asks for more than one."""
    patience: Patience | None = None

    def plan(self, *, weak_too: bool = False, trigger: str = "manual") -> Decision:
        """`wxsync plan [--adopt]`: what would be done; not one write call is made."""
        return self._run(lambda corp: self._plan(corp, weak_too=weak_too, trigger=trigger))

    def apply(
        self,
        *,
        approved: str | None = None,
        parts: Sequence[str] = (),
        trigger: str = "manual",
        approver: str = "somebody",
        progress: Progress = lambda done, total: None,
    ) -> Run:
        """`wxsync apply`; raises GuardError or StalePlanError after the refusal is on record."""

        async def act(corp: Corp) -> Run:
            async with holding(corp, trigger) as held:
                verb = "repair" if parts else "apply"
                run_id, decision = await self._looked(corp, verb, approved=approved, trigger=trigger)
                try:
                    if parts:
                        decision = await narrowed(corp, run_id, decision, parts)
                    return await carry_out(
                        corp,
                        run_id,
                        decision,
                        held,
                        approved=approved,
                        approver=approver,
                        parts=parts,
                        progress=progress,
                    )
                except (GuardError, StalePlanError) as error:
                    await refuse(corp, run_id, decision, error)
                    raise

        try:
            return self._run(act)
        finally:
            assert not self.state.invitations, "nobody is invited, whatever happens"

    def plan_undo(self, run: int) -> Decision:
        """`wxsync undo RUN`: not one write call is made."""

        async def act(corp: Corp) -> Decision:
            return (await self._looked(corp, "plan", trigger="undo", undoes=run))[1]

        return self._run(act)

    def undo(self, run: int, *, approved: str | None = None) -> Run:
        """`wxsync undo RUN --apply`; raises as `apply` does."""

        async def act(corp: Corp) -> Run:
            async with holding(corp, "undo") as held:
                run_id, decision = await self._looked(corp, "undo", undoes=run, approved=approved)
                try:
                    return await carry_out(
                        corp, run_id, decision, held, approved=approved, approver="somebody"
                    )
                except (GuardError, StalePlanError) as error:
                    await refuse(corp, run_id, decision, error)
                    raise

        return self._run(act)

    def repair(self, person: str) -> Run:
        """`wxsync apply --only-person PERSON`."""

        async def act(corp: Corp) -> Run:
            async with holding(corp, "manual") as held:
                run_id, decision = await self._looked(corp, "repair", person=person)
                return await carry_out(corp, run_id, decision, held)

        return self._run(act)

    def last_run(self) -> int:
        """The number of the last run, of whatever kind."""

        async def act(corp: Corp) -> int:
            with corp.store.reading() as connection:
                return journal.runs(connection, 1)[0].id

        return self._run(act)

    def baseline(self) -> Baseline:
        """`wxsync baseline`: WeCom has what the source says; not one write call is made."""

        async def act(corp: Corp) -> Baseline:
            async with holding(corp, "baseline") as held:
                taken = baseline_of((await self._looked(corp, "plan"))[1], None, None)
                await remember_baseline(corp, held, taken)
                return taken

        return self._run(act)

    def act(self, act: Callable[[Corp], Awaitable[Any]]) -> Any:
        """Whatever else a command does with the corp."""
        return self._run(act)

    def settle(self) -> Run:
        """Apply; everything succeeds, and nothing is left to do."""
        run = self.apply()
        assert failures(run) == []
        assert described(self.plan().plan.writes) == []
        return run

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def _plan(self, corp: Corp, *, weak_too: bool, trigger: str) -> Decision:
        return (await self._looked(corp, "plan", weak_too=weak_too, trigger=trigger))[1]

    async def _looked(self, corp: Corp, verb: Any, **asked: Any) -> tuple[int, Decision]:
        before = len(self.state.writes)
        run_id, decision = await preview(corp, verb=verb, confirm_reads=self.confirm_reads, **asked)
        written = [call.path for call in self.state.writes[before:]]
        assert written == [], "a dry run makes no write call"
        return run_id, decision

    def _run(self, act: Any) -> Any:
        async def story(store: Store) -> Any:
            opening = open_corp(
                self.settings,
                self.sync,
                clock=lambda: self.now,
                transport=self.line or SandboxTransport(self.state),
                patience=self.patience,
                pauses=IMPATIENT,
                store=store,
            )
            async with opening as corp:
                return await act(corp if self.sources is None else replace(corp, sources=tuple(self.sources)))

        with kept_open(self.settings) as store:
            return asyncio.run(story(store))


def described(changes: Sequence[Change]) -> list[str]:
    """Changes in words, for the eye and for assertions that show what went wrong."""
    return [
        f"{change.verb} {change.kind} {change.key} "
        + ", ".join(
            f"{name}: {values.before!r} -> {values.after!r}" for name, values in change.fields.items()
        )
        + (" (temporary)" if change.is_temporary else "")
        + (f" [{change.reason}]" if change.reason else "")
        for change in changes
    ]


def failures(run: Run) -> list[str]:
    """Everything that was not done, and everything that was rejected, in words."""
    undone = [
        f"{outcome.state} {outcome.errcode} {outcome.hint}: "
        + described([run.plan.changes[outcome.n - 1]])[0]
        for outcome in run.outcomes
        if outcome.state is not OutcomeState.DONE
    ]
    return undone + [f"rejected {row.kind} {row.key} {row.field} {row.rule}" for row in run.plan.rejected]


def outcome_of(run: Run, key: str) -> Outcome:
    """The outcome of the one change of `key` that is counted."""
    places = [
        n
        for n, change in enumerate(run.plan.changes, 1)
        if change.key == key and not change.is_temporary and change.reason is None
    ]
    assert len(places) == 1, described(run.plan.changes)
    return next(outcome for outcome in run.outcomes if outcome.n == places[0])
