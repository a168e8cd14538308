"""A run as its reports show it: what became of each change, failures first, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wxsync.model.change import VERBS, Change
from wxsync.model.message import Message, say
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.report.notices import (
    NOT_APPROVABLE,
    Level,
    Notice,
    approval_command,
    limit_text,
    why_exceeded,
)
from wxsync.report.view import ChangeView, view_change
from wxsync.report.wording import Wording, readable_time, visible

TROUBLE: Final = (OutcomeState.FAILED, OutcomeState.UNKNOWN, OutcomeState.SKIPPED)
"""The states that a reader must look at, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """What became of one change."""

    change: ChangeView | None
    """None where the outcome's number is not in the plan."""
    n: int
    state: str
    title: str
    verb: str
    errcode: str
    hint: str
    attempts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesView:
    """All outcomes of one state that is not done."""

    state: str
    title: str
    outcomes: tuple[OutcomeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A whole run in words."""

    id: int
    sync: str
    trigger: str
    started_at: str
    took: str
    state: str
    state_title: str
    counts: tuple[tuple[str, str, int], ...]
    """(code, name, how many) of every outcome."""
    done: tuple[str, ...]
    """How much of each kind and verb is done."""
    trouble: tuple[OutcomesView, ...]
    next: tuple[Notice, ...]

    @property
    def has_outcomes(self) -> bool:
        return any(number for _, _, number in self.counts)


def view_run(run: Run, wording: Wording) -> RunView:
    """The run in the words of one report."""
    return RunView(
        id=run.id,
        sync=visible(run.sync),
        trigger=wording.name("trigger", run.trigger),
        started_at=readable_time(run.started_at),
        took=_took(run, wording),
        state=run.state.value,
        state_title=wording.name("state", run.state),
        counts=tuple(
            (state.value, wording.name("outcome", state), run.count(state)) for state in OutcomeState
        ),
        done=_done(run, wording),
        trouble=tuple(_trouble(run, wording)),
        next=tuple(_next(run, wording)),
    )


def view_outcome(outcome: Outcome, run: Run, wording: Wording) -> OutcomeView:
    """One outcome with the change that it is about."""
    change = _change(outcome, run)
    tries = say("tried {attempts} times", attempts=outcome.attempts)
    return OutcomeView(
        change=None if change is None else view_change(outcome.n, change, wording),
        n=outcome.n,
        state=outcome.state.value,
        title=wording.name("outcome", outcome.state),
        verb="" if change is None else wording.name("verb", change.verb),
        errcode="" if outcome.errcode is None else str(outcome.errcode),
        hint="" if outcome.hint is None else wording.of(outcome.hint),
        attempts=wording.of(tries) if outcome.attempts > 1 else "",
    )


def _change(outcome: Outcome, run: Run) -> Change | None:
    changes = run.plan.changes
    return changes[outcome.n - 1] if 1 <= outcome.n <= len(changes) else None


def _took(run: Run, wording: Wording) -> str:
    if run.finished_at is None:
        return wording.of(say("not finished"))
    return wording.duration((run.finished_at - run.started_at).total_seconds())


def _trouble(run: Run, wording: Wording) -> Iterable[OutcomesView]:
    for state in TROUBLE:
        views = tuple(
            view_outcome(outcome, run, wording) for outcome in run.outcomes if outcome.state is state
        )
        if views:
            yield OutcomesView(state=state.value, title=wording.name("outcome", state), outcomes=views)


def _done(run: Run, wording: Wording) -> tuple[str, ...]:
    done = (_change(outcome, run) for outcome in run.outcomes if outcome.state is OutcomeState.DONE)
    counts = Counter((change.kind, change.verb) for change in done if change is not None)
    told = {
        kind: [(verb, counts[kind, verb]) for verb in verbs if counts[kind, verb]]
        for kind, verbs in VERBS.items()
    }
    return tuple(
        f"{wording.name('kinds', kind)}: "
        + wording.listed(f"{wording.name('verb', verb)} {number}" for verb, number in numbers)
        for kind, numbers in told.items()
        if numbers
    )


def _next(run: Run, wording: Wording) -> Iterable[Notice]:
    """What to do now; never empty."""
    found = [*_by_state(run, wording), *_by_outcomes(run, wording)]
    if run.plan.rejected:
        found.append(
            _notice(
                wording,
                "warn",
                say("{count} rejected: mend them in the source.", count=len(run.plan.rejected)),
            )
        )
    if run.plan.undoes is not None and run.state is RunState.APPLIED and run.plan.writes:
        text = say("Mend the source: the next plan by it waits for approval. Look at it first.")
        found.append(_notice(wording, "info", text, f"wxsync plan {run.sync}"))
    if run.left and run.state is RunState.APPLIED:
        text = say("{count} more changes of that plan wait for an approval of their own.", count=run.left)
        found.append(_notice(wording, "info", text, f"wxsync plan {run.sync}"))
    if not found:
        text = say("All done; the next plan should be empty.")
        found.append(_notice(wording, "ok", text, f"wxsync plan {run.sync}"))
    return found


def _by_state(run: Run, wording: Wording) -> Iterable[Notice]:
    again = run.plan.command
    match run.state:
        case RunState.PLANNED:
            yield _notice(wording, "info", say("Nothing was written. To carry the plan out:"), again)
        case RunState.REFUSED:
            yield from _refused(run, wording)
        case RunState.STOPPED:
            text = say("The run broke off; what was left is as it was. Mend the cause, then run it again:")
            causes = () if run.error is None else (run.error,)
            yield Notice(level="stop", text=wording.of(text), details=causes, command=again)
        case RunState.FAILED:
            text = say("An error ended the run before anything was written. Mend it, then run it again:")
            yield _notice(wording, "stop", text, again)
        case RunState.RUNNING:
            yield _notice(wording, "info", say("The run is still at work."), f"wxsync runs {run.id}")
        case RunState.APPLIED:
            pass


def _refused(run: Run, wording: Wording) -> Iterable[Notice]:
    if run.is_stale:
        yield _stale(run, wording)
    elif run.plan.exceeded:
        approving = say("Over the limit: nothing was written. If all of it is meant, approve the plan:")
        yield Notice(
            level="stop",
            text=wording.of(approving if run.plan.is_approvable else NOT_APPROVABLE),
            details=(
                *(limit_text(limit, wording) for limit in run.plan.exceeded),
                *why_exceeded(run.plan, wording),
            ),
            command=approval_command(run.plan),
        )
    elif run.plan.waits:
        waiting = say("It waits for approval: nothing was written. If all of it is meant, approve the plan:")
        yield Notice(
            level="stop",
            text=wording.of(waiting),
            details=tuple(wording.of(why) for why in run.plan.waits),
            command=approval_command(run.plan),
        )
    else:
        text = say("Refused: nothing was written. To carry the plan out:")
        yield _notice(wording, "stop", text, f"{run.plan.command} --yes")


def _stale(run: Run, wording: Wording) -> Notice:
    """The approval is not of this plan, or holds no more."""
    if run.differences:
        text = say("Refused: nothing was written. By now it is another plan than the one that was approved:")
    else:
        text = say(
            "Refused: nothing was written. The approval holds no more. Look at the plan, approve it anew:"
        )
    told = tuple(wording.of(each) for each in run.differences)
    return Notice(level="stop", text=wording.of(text), details=told, command=f"wxsync plan {run.sync}")


def _by_outcomes(run: Run, wording: Wording) -> Iterable[Notice]:
    again = run.plan.command
    if run.count(OutcomeState.FAILED) or run.count(OutcomeState.SKIPPED):
        text = say("Mend what the hints name, then run it again: what is done is not repeated.")
        yield _notice(wording, "warn", text, again)
    if run.count(OutcomeState.UNKNOWN):
        text = say("The next run looks up what became of changes whose fate is unknown.")
        yield _notice(wording, "warn", text, f"wxsync plan {run.sync}")


def _notice(wording: Wording, level: Level, text: Message, command: str = "") -> Notice:
    return Notice(level=level, text=wording.of(text), command=command)
