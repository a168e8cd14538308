"""Whether a run that is over is worth telling, and what of it. Pure.

Nothing is told where nothing happened. What is wrong in the same way as last time is told once a day, and
that it is wrong no more, once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from wxsync.errors import StalePlanError
from wxsync.mirror.notices import Mark
from wxsync.model.change import Verb
from wxsync.model.message import Message, say
from wxsync.model.notice import Count, Notice, NoticeKind
from wxsync.model.plan import Plan
from wxsync.model.run import OutcomeState, Run, RunState
from wxsync.report.notices import limit_text
from wxsync.report.wording import Wording, wording_for
from wxsync.service.running import Finished
from wxsync.service.turns import Ending

AGAIN: Final = timedelta(hours=24)
MOST_REASONS: Final = 8
MOST_FAILURES: Final = 3
"""So many kinds of failure are told, the most frequent first."""
NUMBER: Final = re.compile(r"\d+")
WRONG: Final = frozenset(
    {
        NoticeKind.WAITS,
        NoticeKind.REFUSED,
        NoticeKind.TROUBLE,
        NoticeKind.STOPPED,
        NoticeKind.FAILED,
    }
)
NOTED: Final = WRONG | {NoticeKind.PLANNED}
"""What is not told again when it comes again."""
NO_WORDS: Final = Wording(language="en", show_personal=False, names={})


def told(finished: Finished, mark: Mark, now: datetime, language: str) -> tuple[Notice | None, Mark]:
    """What is to be told of the run, if anything; and the mark by which the next one is judged."""
    if finished.ending is Ending.BUSY:
        return None, mark
    notice = notice_of(finished, language)
    trouble = _trouble(finished, notice)
    if trouble is not None and _is_old(trouble, mark, now):
        wrote = notice is not None and bool(notice.done)
        return (notice if wrote else None), mark
    if trouble is not None:
        return notice, replace(mark, trouble=trouble, told_at=now)
    if _is_mended(finished, notice, mark):
        notice = replace(notice or _empty(finished), kind=NoticeKind.RECOVERED)
        mark = replace(mark, silent_since=None)
    return notice, replace(mark, trouble=None, told_at=None)


def _is_mended(finished: Finished, notice: Notice | None, mark: Mark) -> bool:
    """People were told that something is wrong, and it is no more. A plan that got its yes was not wrong."""
    trouble = NoticeKind(mark.trouble.partition(":")[0]) if mark.trouble is not None else None
    is_complete = finished.plan is not None and finished.plan.is_complete
    if mark.silent_since is not None and is_complete:
        return True
    return trouble in WRONG and (notice is None or trouble not in (NoticeKind.WAITS, NoticeKind.REFUSED))


def notice_of(finished: Finished, language: str) -> Notice | None:
    """What happened in the run; None where nothing did."""
    run, plan, error = finished.run, finished.plan, finished.error
    if plan is None and run is not None:
        plan = run.plan
    words = (
        replace(NO_WORDS, language=language)
        if plan is None
        else wording_for(plan, language=language, show_personal=False)
    )
    if run is not None and run.state is not RunState.REFUSED:
        return _of_run(finished, run, words)
    if error is not None:
        return (
            _refused(finished, plan, words)
            if run is not None and plan is not None
            else _failed(finished, words)
        )
    return None if plan is None else _of_plan(finished, plan, words)


def _of_run(finished: Finished, run: Run, words: Wording) -> Notice | None:
    """A run that wrote, or was about to."""
    notice = replace(
        _empty(finished),
        run=run.id,
        done=done_of(run),
        failed=run.count(OutcomeState.FAILED),
        skipped=run.count(OutcomeState.SKIPPED),
        unknown=run.count(OutcomeState.UNKNOWN),
        rejected=len(run.plan.rejected),
        reasons=_first(_failures(run, words)),
    )
    if run.state in (RunState.STOPPED, RunState.FAILED):
        error = finished.error.message if finished.error is not None else run.error or ""
        hint = (finished.error.hint if finished.error is not None else None) or ""
        kind = NoticeKind.STOPPED if run.state is RunState.STOPPED else NoticeKind.FAILED
        return replace(
            notice,
            kind=kind,
            error=plainly(error, words),
            hint=plainly(hint, words),
            planned=planned_of(run.plan),
            command=run.plan.command,
        )
    if notice.failed or notice.unknown or notice.skipped:
        return replace(notice, kind=NoticeKind.TROUBLE, command=f"wxsync runs {run.id}")
    return replace(notice, command=f"wxsync runs {run.id}") if notice.done else None


def _refused(finished: Finished, plan: Plan, words: Wording) -> Notice:
    """Nothing was written: the plan wants somebody's yes, or was not the one that had it."""
    notice, error = _asking(finished, plan, words), finished.error
    if not isinstance(error, StalePlanError):
        return notice
    if not error.differences:
        return replace(notice, error=plainly(error.message, words))
    other = words.of(say("By now it is another plan than the one that was approved:"))
    return replace(notice, reasons=_first([other, *map(words.of, error.differences), *notice.reasons]))


def _of_plan(finished: Finished, plan: Plan, words: Wording) -> Notice | None:
    """A dry run, where the config asks for no other."""
    if not plan.writes:
        return _asking(finished, plan, words) if plan.exceeded else None
    return _asking(finished, plan, words)


def _asking(finished: Finished, plan: Plan, words: Wording) -> Notice:
    asks = plan.wants_approval and plan.is_approvable and bool(plan.writes)
    kind = NoticeKind.WAITS if asks else NoticeKind.REFUSED
    if not plan.wants_approval:
        kind = NoticeKind.PLANNED if finished.error is None else NoticeKind.REFUSED
    return replace(
        _empty(finished),
        kind=kind,
        run=finished.number,
        planned=planned_of(plan),
        rejected=len(plan.rejected),
        reasons=_first(_why(plan, words)),
        digest=plan.digest if asks else "",
        command=f"wxsync approve {plan.digest}" if asks else f"wxsync plan {finished.sync}",
        asks=asks,
    )


def _why(plan: Plan, words: Wording) -> Iterator[str]:
    """What stands against carrying the plan out unasked."""
    for limit in plan.exceeded:
        yield limit_text(limit, words)
    for why in (*plan.waits, *plan.causes):
        yield words.of(why)


def _failed(finished: Finished, words: Wording) -> Notice:
    error = finished.error
    message, hint = ("", "") if error is None else (error.message, error.hint or "")
    return replace(
        _empty(finished),
        kind=NoticeKind.FAILED,
        run=finished.number,
        error=plainly(message, words),
        hint=plainly(hint, words),
        command="wxsync check " + finished.sync,
    )


def _failures(run: Run, words: Wording) -> Iterator[str]:
    """What went wrong most often, without naming anybody: "failed, errcode 60104: 3"."""
    failed = (each for each in run.outcomes if each.state in (OutcomeState.FAILED, OutcomeState.UNKNOWN))
    for (state, errcode), count in Counter((each.state, each.errcode) for each in failed).most_common(
        MOST_FAILURES
    ):
        name = words.name("outcome", state)
        if errcode is None:
            yield words.of(say("{state}: {count}", count=count, state=name))
        else:
            yield words.of(
                say("{state}, errcode {errcode}: {count}", count=count, state=name, errcode=errcode)
            )


def _trouble(finished: Finished, notice: Notice | None) -> str | None:
    """What is wrong or wanted, in short: equal where it is the same as last time."""
    if notice is None or notice.kind not in NOTED:
        return None
    facts: Iterable[str] = (NUMBER.sub("#", notice.error),)
    if finished.plan is not None and notice.kind in (
        NoticeKind.WAITS,
        NoticeKind.REFUSED,
        NoticeKind.PLANNED,
    ):
        facts = (finished.plan.digest,)
    if finished.run is not None and notice.kind is NoticeKind.TROUBLE:
        facts = sorted(_undone(finished.run))
    hashed = sha256("\n".join(facts).encode()).hexdigest()
    return f"{notice.kind.value}:{hashed}"[:64]


def _undone(run: Run) -> Iterator[str]:
    for outcome in run.outcomes:
        if outcome.state is not OutcomeState.DONE and 1 <= outcome.n <= len(run.plan.changes):
            change = run.plan.changes[outcome.n - 1]
            yield f"{change.kind} {change.verb} {change.key} {outcome.state} {outcome.errcode}"


def _is_old(trouble: str, mark: Mark, now: datetime) -> bool:
    """It was told within a day. A time to come is not believed."""
    return trouble == mark.trouble and mark.told_at is not None and mark.told_at <= now < mark.told_at + AGAIN


def _empty(finished: Finished) -> Notice:
    return Notice(
        kind=NoticeKind.CHANGED,
        corp=finished.corp,
        sync=finished.sync,
        at=finished.began + finished.took,
        run=finished.number,
    )


def done_of(run: Run) -> tuple[Count, ...]:
    """How much of each kind and verb was done; what was on the way only is not counted."""
    changes = run.plan.changes
    done = (
        changes[outcome.n - 1]
        for outcome in run.outcomes
        if outcome.state is OutcomeState.DONE and 1 <= outcome.n <= len(changes)
    )
    counts = Counter((change.kind.value, change.verb.value) for change in done if not change.is_temporary)
    return tuple(Count(kind, verb, number) for (kind, verb), number in sorted(counts.items()))


def planned_of(plan: Plan) -> tuple[Count, ...]:
    """How much of each kind and verb the plan would do."""
    return tuple(
        Count(kind.value, verb.value, number)
        for kind, verbs in plan.summary.items()
        for verb, number in verbs.items()
        if number and verb is not Verb.KEEP
    )


def plainly(text: str, words: Wording) -> str:
    """A sentence of an error in the reader's language, with personal values masked wherever they stand."""
    return words.of(Message("{text}", {"text": words.of(text)})) if text else ""


def _first(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(list(reasons)[:MOST_REASONS])
