"""Whether a plan waits for somebody's yes though it may be within its limits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wxsync.engine.causes import config_changes, told_change
from wxsync.model.change import Change
from wxsync.model.config_mark import ConfigChange
from wxsync.model.message import Message, say
from wxsync.model.remembered import Remembered

SCHEDULE: Final = "schedule"
CHANGE: Final = "change"
RETRY: Final = "retry"
UNATTENDED: Final = frozenset({SCHEDULE, CHANGE, RETRY})
"""What sets a run off that nobody looks at."""
HASTY: Final = frozenset({CHANGE, RETRY})
"""Of those what may come a minute after the run before, or again and again: its reading is not counted among
the complete ones that must lack somebody (`policy.confirm_reads`)."""
MOST_TOLD: Final = 5
"""So many keys of the config are named."""


def reasons_to_wait(
    trigger: str, writes: Sequence[Change], remembered: Remembered, configured: Mapping[str, str]
) -> tuple[Message, ...]:
    """Why a plan with these writes is carried out only if somebody approves it; none where it need not wait.

    Whatever sets its run off it waits where approval was demanded, as after an undo. By schedule the first
    run ever waits, and the first after a change of mapping, source or policy. One that changes nothing never
    waits.
    """
    if not writes:
        return ()
    demanded = [] if remembered.demanded is None else [remembered.demanded]
    if trigger not in UNATTENDED:
        return tuple(demanded)
    return (*demanded, *_unattended(remembered, configured))


def _unattended(remembered: Remembered, configured: Mapping[str, str]) -> Iterator[Message]:
    if not remembered.has_been_applied:
        yield say("it is the first run of this sync that changes anything")
        return
    found = [each for each in config_changes(remembered, configured) if _decides(each)]
    yield from (told_change(each) for each in found[:MOST_TOLD])
    if len(found) > MOST_TOLD:
        yield say("{count} more keys of the config changed", count=len(found) - MOST_TOLD)


def _decides(change: ConfigChange) -> bool:
    """It may have made other changes of the same source; a limit makes none."""
    return ".limits." not in change.path
