"""What the mirror remembers of a sync's runs, as far as the next one depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

from wxsync.engine.chronicle import INTERRUPTED
from wxsync.engine.waiting import UNATTENDED
from wxsync.mirror import journal, lease
from wxsync.mirror.journal import RunRecord
from wxsync.mirror.store import Store
from wxsync.model.run import RunState
from wxsync.service.running import APPROVAL
from wxsync.service.standing import LastRun

MOST: Final = 12
"""More failures in a row than lead to the longest pause."""
OURS: Final = UNATTENDED | {APPROVAL}
"""By these the daemon begins runs."""
BROKEN: Final = (RunState.FAILED, RunState.STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The runs of one sync that the daemon began, before this process did or led."""

    began: datetime | None = None
    """When the last one did; None where there was none."""
    failures: int = 0
    """How many of the last ones failed, in a row."""
    last: LastRun | None = None
    is_cut_short: bool = False
    """The last one was told to stop in the midst of its work, or died: there is something left of it."""


def past_of(store: Store, corp: str, sync: str) -> Past:
    """What is on record. Raises MirrorError."""
    with store.reading() as connection:
        runs = journal.runs_by_trigger(connection, corp, sync, OURS, MOST)
        is_idle = lease.holder(connection, corp) is None
    return to_past(runs, is_idle=is_idle)


def to_past(runs: Sequence[RunRecord], *, is_idle: bool) -> Past:
    """The same of these runs, the newest first; `is_idle` where nobody is at work on the corp.

    One that was told to stop, or died, is gone on with at once. Where one died and the one before it broke
    off too, the reason may lie in the run, and the pauses after failures hold.
    """
    if not runs:
        return Past()
    is_dead = is_idle and runs[0].state is RunState.RUNNING
    is_interrupted = runs[0].state in BROKEN and runs[0].error == INTERRUPTED
    before = sum(1 for _ in takewhile(lambda run: run.state in BROKEN, runs[1:] if is_dead else runs))
    is_repeated = is_dead and before > 0
    return Past(
        began=runs[0].started_at,
        last=LastRun.on_record(runs[0]),
        failures=0 if is_interrupted else before + is_repeated,
        is_cut_short=is_interrupted or (is_dead and not is_repeated),
    )
