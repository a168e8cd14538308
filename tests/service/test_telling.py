"""What of a run is worth telling: nothing where nothing happened, and the same thing once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wxsync.errors import GuardError, RunInProgressError, SourceUnavailableError, StalePlanError
from wxsync.mirror.notices import Mark
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.notice import Count, Notice, NoticeKind
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.service.notify.telling import AGAIN, told
from wxsync.service.running import Finished
from wxsync.service.turns import Cause, Ending

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FRESH = Mark(known_since=NOW - timedelta(days=9))


def change(n: int, verb: Verb = Verb.UPDATE, *, is_temporary: bool = False) -> Change:
    return Change(
        kind=Kind.MEMBER,
        verb=verb,
        key=f"E{n}",
        id=f"e{n}",
        name="林梅",
        fields={"mobile": FieldChange("13800000001", "13800000002")},
        why=say("why"),
        is_temporary=is_temporary,
        reason=Reason.FOREIGN if verb is Verb.KEEP else None,
    )


def plan(*changes: Change, count: int = 0, waits: bool = False, is_absolute: bool = False) -> Plan:
    """With a limit of five."""
    return Plan(
        sync="acme",
        corp_id="ww1",
        created_at=NOW,
        is_complete=True,
        changes=changes,
        limits=(Limit(name="member_remove", count=count, allowed=5, is_absolute=is_absolute),),
        causes=(say("{count} removals", count="6"),) if count > 5 else (),
        waits=(say("somebody looks first"),) if waits else (),
        forecast=Forecast(calls=1, seconds=0.1),
    )


def finished(
    of: Plan | None = None, *, error: Exception | None = None, ending: Ending = Ending.DONE
) -> Finished:
    assert error is None or isinstance(error, (GuardError, SourceUnavailableError, RunInProgressError))
    return Finished(
        sync="acme",
        corp="acme",
        cause=Cause.SCHEDULE,
        ending=ending,
        began=NOW,
        took=timedelta(seconds=30),
        number=7,
        plan=of,
        error=error,
    )


def ran(
    of: Plan, *states: OutcomeState, state: RunState = RunState.APPLIED, errcode: int = 60104
) -> Finished:
    """A run that came to these outcomes, one a change."""
    outcomes = tuple(
        Outcome(n=n, state=each, errcode=None if each is OutcomeState.DONE else errcode)
        for n, each in enumerate(states, 1)
    )
    run = Run(
        id=7,
        sync="acme",
        trigger="schedule",
        started_at=NOW,
        finished_at=NOW,
        state=state,
        plan=of,
        outcomes=outcomes,
        error="WeCom is away" if state is RunState.STOPPED else None,
    )
    return replace(finished(of), run=run)


def refused(of: Plan, error: GuardError | StalePlanError) -> Finished:
    return replace(ran(of, state=RunState.REFUSED), error=error)


def news(of: Finished, mark: Mark = FRESH, now: datetime = NOW, language: str = "en") -> Notice | None:
    return told(of, mark, now, language)[0]


def after(*runs: Finished) -> Mark:
    mark = FRESH
    for each in runs:
        mark = told(each, mark, NOW, "en")[1]
    return mark


DONE, FAILED, UNKNOWN = OutcomeState.DONE, OutcomeState.FAILED, OutcomeState.UNKNOWN
OVER = GuardError("over a limit")
AWAY = SourceUnavailableError("hr", "no answer for 30 seconds", hint="see whether it runs")


@pytest.mark.parametrize(
    "quiet",
    [
        ran(plan()),
        ran(plan(change(1, Verb.KEEP))),
        finished(plan()),
        finished(plan(change(1, Verb.KEEP))),
        finished(ending=Ending.BUSY, error=RunInProgressError("another one")),
    ],
)
def test_where_nothing_happened_nobody_is_told(quiet: Finished) -> None:
    """Nor where records were left alone, nor where another process had the corp."""
    assert news(quiet) is None


def test_what_was_written_is_counted() -> None:
    """By kind and verb, and without what was temporary."""
    notice = news(
        ran(plan(change(1), change(2), change(3, is_temporary=True), change(4, Verb.CREATE)), *[DONE] * 4)
    )
    assert notice is not None
    assert notice.kind is NoticeKind.CHANGED
    assert notice.done == (Count("member", "create", 1), Count("member", "update", 2))
    assert notice.at == NOW + timedelta(seconds=30)


def test_a_plan_over_its_limit_is_told_with_its_cause_and_asks() -> None:
    """And with the digest to which somebody may say yes."""
    over = plan(change(1, Verb.DISABLE), count=6)
    notice = news(refused(over, OVER))
    assert notice is not None
    assert (notice.kind, notice.asks, notice.digest) == (NoticeKind.WAITS, True, over.digest)
    assert notice.planned == (Count("member", "disable", 1),)
    assert notice.reasons == ("members disabled or deleted: 6, allowed 5", "6 removals")
    assert notice.command == f"wxsync approve {over.digest}"


@pytest.mark.parametrize(
    "unhelped",
    [
        refused(plan(change(1), count=6, is_absolute=True), OVER),
        refused(plan(count=6), OVER),
    ],
)
def test_where_no_yes_helps_nobody_is_asked(unhelped: Finished) -> None:
    """WeCom's own limit; a plan that would do nothing."""
    notice = news(unhelped)
    assert notice is not None
    assert (notice.kind, notice.asks, notice.digest) == (NoticeKind.REFUSED, False, "")


def test_a_dry_run_tells_what_it_would_do() -> None:
    """It asks only where the plan would want a yes anyway."""
    notice = news(finished(plan(change(1))))
    assert notice is not None
    assert (notice.kind, notice.asks) == (NoticeKind.PLANNED, False)
    waiting = news(finished(plan(change(1), waits=True)))
    assert waiting is not None
    assert (waiting.kind, waiting.asks) == (NoticeKind.WAITS, True)


def test_another_plan_than_the_approved_one_says_what_is_otherwise() -> None:
    """The differences come first, and the new plan is asked about."""
    error = StalePlanError("another plan", differences=[say("member {key}: gone", key="E9")])
    notice = news(refused(plan(change(1), count=6), error))
    assert notice is not None
    assert notice.kind is NoticeKind.WAITS
    assert notice.reasons[1] == "member E9: gone"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (refused(plan(change(1), count=6), OVER), refused(plan(change(1), count=6), OVER)),
        (finished(plan(change(1))), finished(plan(change(1)))),
        (
            finished(error=AWAY, ending=Ending.FAILED),
            finished(error=SourceUnavailableError("hr", "no answer for 31 seconds"), ending=Ending.FAILED),
        ),
        (ran(plan(change(1)), FAILED), ran(plan(change(1)), FAILED)),
        (
            ran(plan(change(1), change(2)), UNKNOWN, FAILED, state=RunState.STOPPED),
            ran(plan(change(1)), UNKNOWN, state=RunState.STOPPED),
        ),
    ],
)
def test_the_same_again_is_told_once_a_day(first: Finished, again: Finished) -> None:
    """Whatever it is. After 24 hours it is told anew, and where the clock was set back."""
    mark = after(first)
    assert news(first) is not None
    assert news(again, mark) is None
    assert news(again, mark, NOW + AGAIN - timedelta(seconds=1)) is None
    assert news(again, mark, NOW + AGAIN) is not None
    assert news(again, mark, NOW - timedelta(days=400)) is not None


@pytest.mark.parametrize(
    "other",
    [
        refused(plan(change(1), change(2), count=6), OVER),
        ran(plan(change(1)), FAILED, errcode=40003),
        ran(plan(change(2)), FAILED),
        finished(error=SourceUnavailableError("hr", "the password is wrong"), ending=Ending.FAILED),
    ],
)
def test_something_else_that_is_wrong_is_told_at_once(other: Finished) -> None:
    """Another plan, another errcode, another person, another error."""
    mark = after(refused(plan(change(1), count=6), OVER), ran(plan(change(1)), FAILED))
    assert news(other, mark) is not None


def test_what_was_written_beside_the_same_failure_is_told() -> None:
    """Only the failure by itself is no news."""
    both = plan(change(1), change(2))
    mark = after(ran(plan(change(1)), FAILED))
    notice = news(ran(both, FAILED, DONE), mark)
    assert notice is not None
    assert notice.done == (Count("member", "update", 1),)


def test_that_it_is_well_again_is_told_once() -> None:
    """Also where the run had nothing to write."""
    mark = after(finished(error=AWAY, ending=Ending.FAILED))
    notice, well = told(ran(plan()), mark, NOW, "en")
    assert notice is not None
    assert notice.kind is NoticeKind.RECOVERED
    assert news(ran(plan()), well) is None
    written = news(ran(plan(change(1)), DONE), mark)
    assert written is not None
    assert (written.kind, written.done) == (NoticeKind.RECOVERED, (Count("member", "update", 1),))


def test_a_plan_that_got_its_yes_was_nothing_to_recover_from() -> None:
    """It is told as what it is; so is the end of a report."""
    over = plan(change(1), count=6)
    notice = news(ran(over, DONE), after(refused(over, OVER)))
    assert notice is not None
    assert notice.kind is NoticeKind.CHANGED
    assert news(ran(plan()), after(finished(plan(change(1))))) is None


def test_after_a_silence_the_first_complete_run_is_told() -> None:
    """One whose readings are not complete ends no silence."""
    silent = replace(FRESH, silent_since=NOW - timedelta(hours=3))
    incomplete = replace(plan(), is_complete=False)
    assert news(ran(incomplete), silent) is None
    notice, mark = told(ran(plan()), silent, NOW, "en")
    assert notice is not None
    assert notice.kind is NoticeKind.RECOVERED
    assert mark.silent_since is None


def test_failures_name_nobody() -> None:
    """How often, and by which errcode: the run's own page has the rest."""
    notice = news(ran(plan(change(1), change(2), change(3)), FAILED, FAILED, UNKNOWN))
    assert notice is not None
    assert (notice.failed, notice.unknown) == (2, 1)
    assert notice.reasons == ("failed, errcode 60104: 2", "fate unknown, errcode 60104: 1")


def test_phone_numbers_and_addresses_are_masked() -> None:
    """In errors too, whoever wrote them."""
    error = SourceUnavailableError("hr", "row of lin.mei@example.com has 13812341234", hint="ask 13812341234")
    notice = news(finished(error=error, ending=Ending.FAILED))
    assert notice is not None
    assert notice.error == "source hr: row of l***@example.com has 138****1234"
    assert notice.hint == "ask 138****1234"


def test_in_chinese() -> None:
    """Reasons are in the reader's language."""
    notice = news(refused(plan(change(1), count=6), OVER), language="zh")
    assert notice is not None
    assert notice.reasons == ("禁用或删除成员：6，允许 5", "6 项移除")
