"""What plans and runs came to, put on record in numbers for metrics.

In a transaction of its own, and where the mirror has no time for it no run is the worse for it.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.saved import saved_changes
from wxsync.errors import MirrorError
from wxsync.mirror import aftermath, journal, measurements
from wxsync.mirror.measurements import OF_A_PLAN, OF_A_RUN, Measure, Place
from wxsync.model.change import Change
from wxsync.model.plan import Plan
from wxsync.model.run import Outcome, OutcomeState, RunState

NO_ERRCODE = "none"
"""In the place of WeCom's errcode where a change failed without one."""


def measure_plan(corp: Corp, decision: Decision, verb: journal.RunVerb) -> None:
    """How the sync stands by its newest whole plan; a part of one, and an undo, say nothing of that.

    A dry run is over with it.
    """
    with _measuring(corp) as connection:
        if decision.person is None and decision.plan.undoes is None:
            measurements.put(connection, corp.name, corp.sync, OF_A_PLAN, dict(_of_plan(decision.plan)))
        if verb == "plan":
            measurements.add(connection, corp.name, corp.sync, {_over(verb, RunState.PLANNED): 1})


def measure_end(
    corp: Corp,
    verb: str,
    state: RunState,
    changes: Iterable[Change] = (),
    outcomes: Sequence[Outcome] = (),
) -> None:
    """How a run ended, and what became of each change that has an outcome."""
    with _measuring(corp) as connection:
        _put_end(connection, corp, corp.sync, verb, state, changes, outcomes)


def measure_dead(corp: Corp, runs: Sequence[journal.RunRecord]) -> None:
    """The same of runs whose process died, by what is on record of them."""
    if not runs:
        return
    with _measuring(corp) as connection:
        for dead in runs:
            history = journal.run(connection, dead.id)
            states = aftermath.states_of(connection, dead.id)
            if history is None:
                continue
            changes = saved_changes(history.document) if history.document and states else ()
            told = {each.n: each for each in history.outcomes}
            outcomes = [told.get(n, Outcome(n=n, state=state)) for n, state in states.items()]
            _put_end(connection, corp, dead.sync, dead.verb, RunState.STOPPED, changes, outcomes)


@contextlib.contextmanager
def _measuring(corp: Corp) -> Iterator[Connection]:
    with contextlib.suppress(MirrorError), corp.store.transaction() as connection:
        yield connection


def _put_end(
    connection: Connection,
    corp: Corp,
    sync: str,
    verb: str,
    state: RunState,
    changes: Iterable[Change],
    outcomes: Sequence[Outcome],
) -> None:
    ended, failed = _ended(changes, outcomes), _failed(outcomes)
    if verb == journal.BY_THE_SOURCES:
        last = {Place(Measure.ENDED, *names): number for names, number in ended.items()}
        last |= {Place(Measure.FAILED, detail=code): number for code, number in failed.items()}
        measurements.put(connection, corp.name, sync, OF_A_RUN, last)
    together = {Place(Measure.ALL_ENDED, *names): number for names, number in ended.items()}
    together |= {Place(Measure.ALL_FAILED, detail=code): number for code, number in failed.items()}
    measurements.add(connection, corp.name, sync, {**together, _over(verb, state): 1})


def _over(verb: str, state: RunState) -> Place:
    return Place(Measure.RUNS, verb, state.value)


def _of_plan(plan: Plan) -> Iterator[tuple[Place, int]]:
    for kind, verbs in plan.summary.items():
        for verb, number in verbs.items():
            if number:
                yield Place(Measure.PLANNED, kind.value, verb.value), number
    rejected = Counter((each.kind.value, each.rule) for each in plan.rejected)
    for (kind_, rule), number in rejected.items():
        yield Place(Measure.REJECTED, kind_, detail=rule), number
    for limit in plan.limits:
        names = (limit.name, limit.window or "", limit.detail or "")
        yield Place(Measure.LIMIT, *names), limit.count
        if limit.allowed is not None:
            yield Place(Measure.ALLOWED, *names), limit.allowed
    yield Place(Measure.WAITS), int(plan.wants_approval)


def _ended(changes: Iterable[Change], outcomes: Sequence[Outcome]) -> Counter[tuple[str, str, str]]:
    states = {each.n: each.state.value for each in outcomes}
    numbered = enumerate(changes, 1) if states else iter(())
    return Counter(
        (change.kind.value, change.verb.value, states[n])
        for n, change in numbered
        if n in states and not change.is_temporary
    )


def _failed(outcomes: Sequence[Outcome]) -> Counter[str]:
    failed = (each.errcode for each in outcomes if each.state is OutcomeState.FAILED)
    return Counter(NO_ERRCODE if code is None else str(code) for code in failed)
