"""Every run, step by step, on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wxsync.errors import MirrorError
from wxsync.mirror import journal, links
from wxsync.mirror.documents import packed
from wxsync.mirror.journal import Intent, RunVerb
from wxsync.mirror.store import Store
from wxsync.model.desired import ReadingProof
from wxsync.model.message import say
from wxsync.model.remembered import Remembered
from wxsync.model.run import Outcome, OutcomeState, RunState

START = datetime(2026, 1, 31, 8, 0, 0, 5, tzinfo=UTC)
END = START + timedelta(minutes=1)
PROOFS = (
    ReadingProof(source="hr", query="departments", rows=40, is_complete=True),
    ReadingProof(source="hr", query="members", rows=300, is_complete=True, unreadable_keys=2),
)


def start(store: Store, verb: RunVerb = "apply", sync: str = "acme", corp: str = "acme") -> int:
    with store.transaction() as connection:
        return journal.start_run(
            connection, sync=sync, corp=corp, trigger="manual", started_at=START, verb=verb
        )


def carry_out(
    store: Store,
    state: RunState,
    *proofs: ReadingProof,
    verb: RunVerb = "apply",
    approved_by: str | None = None,
) -> int:
    number = start(store, verb)
    with store.transaction() as connection:
        journal.save_readings(connection, number, "acme", proofs or PROOFS)
        if approved_by is not None:
            journal.approve_run(connection, number, approved_by)
        journal.finish_run(connection, number, state, END)
    return number


def remembered(store: Store, corp: str = "acme", sync: str = "acme") -> Remembered:
    with store.reading() as connection:
        return links.load(connection, corp, sync)


def members(rows: int, *, is_complete: bool = True) -> ReadingProof:
    return ReadingProof(source="hr", query="members", rows=rows, is_complete=is_complete)


def test_a_run_tells_all_that_was_put_on_record(store: Store):
    """Plan, readings, announced calls and outcomes come back as they were given."""
    broken = ReadingProof(
        source="ad", query="members", rows=7, is_complete=False, problem=say("the server hung up")
    )
    intents = (
        Intent(n=1, step=1, call="user/create", detail={"userid": "e1", "department": [2, 3], "名": None}),
        Intent(n=1, step=2, call="user/update", detail={"userid": "e1"}),
    )
    outcomes = (
        Outcome(n=1, state=OutcomeState.DONE, attempts=2),
        Outcome(
            n=2, state=OutcomeState.FAILED, errcode=60104, hint=say("{who} has it", who="e9"), attempts=1
        ),
    )
    number = start(store)
    with store.transaction() as connection:
        journal.save_readings(connection, number, "acme", [*PROOFS, broken])
        journal.save_plan(connection, number, digest="sha256:ab", document=packed('{"名": 1}'))
        journal.announce(connection, number, intents)
        journal.conclude(connection, number, outcomes)
        journal.finish_run(connection, number, RunState.STOPPED, END, "WeCom is down")

    with store.reading() as connection:
        history = journal.run(connection, number)

    assert history is not None
    assert history.document == '{"名": 1}'
    assert history.readings == (broken, *PROOFS)
    assert history.intents == intents
    assert history.outcomes == outcomes
    assert history.run.state is RunState.STOPPED
    assert (history.run.started_at, history.run.finished_at) == (START, END)
    assert (history.run.error, history.run.digest) == ("WeCom is down", "sha256:ab")
    assert history.run.counts == {OutcomeState.DONE: 1, OutcomeState.FAILED: 1}


def test_a_run_that_is_not_there_is_none_to_read_and_an_error_to_write(store: Store):
    """Asking for a run is harmless; closing one that never was is not."""
    with store.reading() as connection:
        assert journal.run(connection, 99) is None
    with (
        pytest.raises(MirrorError, match="the mirror has no run 99"),
        store.transaction() as connection,
    ):
        journal.finish_run(connection, 99, RunState.APPLIED, END)


def test_runs_are_listed_from_the_newest_on(store: Store):
    """The list ends where the limit says, and knows runs without plan or outcome."""
    numbers = [start(store, "plan"), start(store), start(store)]
    with store.reading() as connection:
        listed = journal.runs(connection, 2)
    assert [run.id for run in listed] == [numbers[2], numbers[1]]
    assert listed[0].state is RunState.RUNNING
    assert (listed[0].finished_at, listed[0].digest, listed[0].counts) == (None, None, {})


def test_a_later_outcome_of_a_change_replaces_the_former(store: Store):
    """A change has one outcome, also where the same batch says it twice."""
    number = start(store)
    with store.transaction() as connection:
        journal.conclude(connection, number, [Outcome(n=1, state=OutcomeState.UNKNOWN)])
        journal.conclude(
            connection,
            number,
            [Outcome(n=1, state=OutcomeState.UNKNOWN), Outcome(n=1, state=OutcomeState.DONE, attempts=3)],
        )
        journal.announce(connection, number, [Intent(n=1, step=1, call="a", detail={})] * 2)
    with store.reading() as connection:
        history = journal.run(connection, number)
    assert history is not None
    assert history.outcomes == (Outcome(n=1, state=OutcomeState.DONE, attempts=3),)
    assert len(history.intents) == 1


@pytest.mark.parametrize(
    ("verb", "state", "is_over"),
    [
        ("apply", RunState.APPLIED, True),
        ("apply", RunState.STOPPED, False),
        ("apply", RunState.REFUSED, False),
        ("apply", RunState.FAILED, False),
        ("apply", RunState.RUNNING, False),
        ("plan", RunState.PLANNED, False),
        ("repair", RunState.APPLIED, False),
        ("undo", RunState.APPLIED, False),
    ],
)
def test_the_first_load_is_over_when_a_run_was_applied_to_its_end(
    store: Store, verb: RunVerb, state: RunState, is_over: bool
):
    """Plans and runs that broke off do not count, and neither do other syncs and corps."""
    carry_out(store, state, verb=verb)
    assert remembered(store).has_been_applied is is_over
    assert remembered(store).baselines == (
        {("hr", "departments"): 40, ("hr", "members"): 300} if is_over else {}
    )
    assert remembered(store, sync="second").has_been_applied is False
    assert remembered(store, corp="other").has_been_applied is False


@pytest.mark.parametrize(
    ("verb", "state", "approved_by", "baseline"),
    [
        ("apply", RunState.APPLIED, None, 200),
        ("apply", RunState.APPLIED, "lin", 200),
        ("apply", RunState.STOPPED, "lin", 200),
        ("apply", RunState.STOPPED, None, 300),
        ("apply", RunState.REFUSED, None, 300),
        ("apply", RunState.REFUSED, "lin", 300),
        ("apply", RunState.FAILED, None, 300),
        ("plan", RunState.PLANNED, None, 300),
        ("repair", RunState.APPLIED, None, 300),
        ("repair", RunState.APPLIED, "lin", 300),
        ("undo", RunState.APPLIED, None, 300),
        ("undo", RunState.APPLIED, "lin", 300),
    ],
)
def test_only_applied_and_approved_runs_move_the_baseline(
    store: Store, verb: RunVerb, state: RunState, approved_by: str | None, baseline: int
):
    """What a plan or a refused run has read is no measure for the next one."""
    carry_out(store, RunState.APPLIED)
    carry_out(store, state, members(200), verb=verb, approved_by=approved_by)
    assert remembered(store).baselines == {("hr", "departments"): 40, ("hr", "members"): baseline}


def test_an_incomplete_reading_never_moves_the_baseline(store: Store):
    """Not even of an applied and approved run."""
    carry_out(store, RunState.APPLIED)
    carry_out(store, RunState.APPLIED, members(10, is_complete=False), approved_by="lin")
    assert remembered(store).baselines[("hr", "members")] == 300


def test_whoever_holds_the_lease_finds_the_dead_runs(store: Store):
    """Those that applied to the same corp, came before and never ended."""
    dead, dead_repair = start(store), start(store, "repair")
    start(store, "plan")
    start(store, corp="other")
    carry_out(store, RunState.APPLIED)
    now = start(store)

    with store.reading() as connection:
        found = journal.interrupted(connection, "acme", before=now)

    assert [run.id for run in found] == [dead, dead_repair]


def test_the_run_that_wrote_last_is_found(store: Store):
    """The newest of whose calls WeCom carried one out or refused it; not those that sent nothing."""
    with store.reading() as connection:
        assert journal.last_written(connection, "acme") is None
    numbers = [start(store) for _ in range(4)]
    ends = (
        Outcome(n=1, state=OutcomeState.DONE, attempts=1),
        Outcome(n=1, state=OutcomeState.FAILED, errcode=60011, attempts=1),
        Outcome(n=1, state=OutcomeState.DONE),
        Outcome(n=1, state=OutcomeState.UNKNOWN, attempts=2),
    )
    with store.transaction() as connection:
        for number, end in zip(numbers, ends, strict=True):
            journal.conclude(connection, number, [end])
        found = journal.last_written(connection, "acme")
        assert journal.last_written(connection, "other") is None
    assert found is not None
    assert (found.run.id, found.outcomes) == (numbers[1], (ends[1],))


def test_moments_come_back_in_utc_whatever_zone_they_were_given_in(store: Store):
    """A database without time zones loses nothing, and a moment without one is refused."""
    shanghai = timezone(timedelta(hours=8))
    with store.transaction() as connection:
        number = journal.start_run(
            connection, sync="acme", corp="acme", trigger="manual", started_at=START.astimezone(shanghai)
        )
    with store.reading() as connection:
        [run] = journal.runs(connection, 1)
    assert run.id == number
    assert run.started_at == START
    assert run.started_at.utcoffset() == timedelta(0)
    with pytest.raises(MirrorError, match="without a time zone"), store.transaction() as connection:
        journal.finish_run(connection, number, RunState.APPLIED, END.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("calls", "ended", "counted"),
    [
        (("user/create",), OutcomeState.DONE, 1),
        (("user/create",), OutcomeState.UNKNOWN, 1),
        (("user/create",), None, 1),
        (("user/create",), OutcomeState.FAILED, 0),
        (("user/create", "user/update"), OutcomeState.FAILED, 1),
        (("user/update",), OutcomeState.DONE, 0),
        (("department/create",), OutcomeState.DONE, 0),
        ((journal.SYNC_CREATION,), OutcomeState.DONE, 1),
        ((journal.SYNC_CREATION,), OutcomeState.UNKNOWN, 1),
        ((journal.SYNC_CREATION,), OutcomeState.FAILED, 0),
        ((journal.REPLACE_CREATION,), OutcomeState.DONE, 1),
        ((journal.SYNC_ROW,), OutcomeState.DONE, 0),
        ((journal.REPLACE_ROW,), OutcomeState.DONE, 0),
        ((journal.SYNC_CREATION, "user/update"), OutcomeState.FAILED, 1),
        ((journal.SYNC_CREATION, "user/create"), OutcomeState.DONE, 1),
        ((journal.SYNC_CREATION, journal.SYNC_CREATION), None, 1),
        ((journal.SYNC_CREATION, "user/create"), OutcomeState.FAILED, 0),
        ((journal.SYNC_CREATION, "user/create", "user/update"), OutcomeState.FAILED, 1),
    ],
)
def test_a_creation_counts_unless_wecom_refused_it(
    store: Store, calls: tuple[str, ...], ended: OutcomeState | None, counted: int
):
    """Also one whose end nobody saw, and one whose later call failed; of this corp and this time alone.

    By a call of its own or by a file; whoever was asked for by both is one.
    """
    number = start(store)
    steps = [Intent(n=1, step=step, call=call, detail={}) for step, call in enumerate(calls, 1)]
    with store.transaction() as connection:
        journal.announce(connection, number, steps)
        if ended is not None:
            journal.conclude(connection, number, [Outcome(n=1, state=ended)])
    with store.reading() as connection:
        assert journal.creations_since(connection, "acme", START) == counted
        assert journal.creations_since(connection, "acme", START + timedelta(seconds=1)) == 0
        assert journal.creations_since(connection, "other", START) == 0
