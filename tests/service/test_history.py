"""What the daemon goes by when it takes the lead: the runs on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wxsync.engine.chronicle import INTERRUPTED
from wxsync.mirror import journal
from wxsync.mirror.journal import RunRecord
from wxsync.mirror.store import Store
from wxsync.model.run import RunState
from wxsync.service.history import Past, past_of, to_past
from wxsync.service.standing import LastRun

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def runs(*ends: str) -> list[RunRecord]:
    """The newest began at noon, each other one an hour before; `!` marks an interruption."""
    return [
        RunRecord(
            id=99 - number,
            corp="acme",
            sync="acme",
            verb="apply",
            trigger="schedule",
            state=RunState(end.removesuffix("!")),
            started_at=NOON - timedelta(hours=number),
            finished_at=None,
            approved_by=None,
            error=INTERRUPTED if end.endswith("!") else "something else",
            digest=None,
            counts={},
        )
        for number, end in enumerate(ends)
    ]


@pytest.mark.parametrize(
    ("ends", "failures", "is_cut_short"),
    [
        (("applied", "failed"), 0, False),
        (("refused", "failed"), 0, False),
        (("planned",), 0, False),
        (("failed", "stopped", "applied", "failed"), 2, False),
        (("failed",) * 20, 20, False),
        (("running", "applied"), 0, True),
        (("running",), 0, True),
        (("stopped!", "applied"), 0, True),
        (("failed!", "failed", "failed"), 0, True),
        (("applied", "stopped!"), 0, False),
    ],
)
def test_what_failed_is_counted_and_what_was_cut_short_is_gone_on_with(
    ends: tuple[str, ...], failures: int, is_cut_short: bool
) -> None:
    """Failures in a row, the last ones; a death and an order to stop are none."""
    past = to_past(runs(*ends), is_idle=True)
    assert past == Past(
        began=NOON, failures=failures, is_cut_short=is_cut_short, last=LastRun.on_record(runs(*ends)[0])
    )


@pytest.mark.parametrize("before", ["running", "failed", "stopped"])
def test_who_dies_again_and_again_has_pauses(before: str) -> None:
    """A run that kills its process is not begun at once for ever."""
    ends = ("running", "stopped" if before == "running" else before)
    past = to_past(runs(*ends), is_idle=True)
    assert (past.failures, past.is_cut_short) == (2, False)


def test_what_is_at_work_is_not_dead() -> None:
    """Somebody has the corp's lease: that run is not over."""
    past = to_past(runs("running", "applied"), is_idle=False)
    assert (past.failures, past.is_cut_short) == (0, False)


def test_where_there_was_no_run_there_is_no_past() -> None:
    """Nothing is made up for."""
    assert to_past([], is_idle=True) == Past()


def test_a_run_by_approval_is_one_of_the_daemons_and_one_by_hand_is_none(store: Store) -> None:
    """One that died after somebody's yes is gone on with; what somebody does by hand sets no pause."""
    for trigger, state in (("approval", None), ("manual", RunState.FAILED)):
        with store.transaction() as connection:
            number = journal.start_run(
                connection, sync="acme", corp="acme", trigger=trigger, started_at=NOON, verb="apply"
            )
            if state is not None:
                journal.finish_run(connection, number, state, NOON, "no")
    past = past_of(store, "acme", "acme")
    assert (past.began, past.is_cut_short, past.failures) == (NOON, True, 0)
    assert past.last is not None
    assert past.last.word == "running"
