"""A source that is suddenly empty, or a file of which half is gone: refused, whatever the limits allow."""

from __future__ import annotations

from typing import Final

from wxsync.errors import IncompleteReadError
from wxsync.model.desired import Desired
from wxsync.model.remembered import LinkState, Remembered
from wxsync.sources.base import MEMBERSHIPS, TAGS

FEW: Final = 5
"""So many rows of a short list may always go: half of it is nothing."""
SHORT_LISTS: Final = (MEMBERSHIPS, TAGS)
"""Second departments and tags, of which a company may have but a few. Five of nine people are not few."""


def refuse_halved_files(desired: Desired, remembered: Remembered) -> None:
    """Holds that no file is shorter than half of the last one that was applied.

    Raises IncompleteReadError, which no approval lifts. A cut that falls between two rows cannot be told
    from a list that is shorter; so this is judged also where the reading seems whole.
    """
    for reading in desired.readings:
        before = remembered.baselines.get((reading.source, reading.query), 0)
        few = FEW if reading.query in SHORT_LISTS else 0
        if reading.is_file and reading.rows * 2 < before and before - reading.rows > few:
            raise IncompleteReadError(
                reading.source,
                f"the {reading.query} file gives {reading.rows} rows, less than half of the {before} of when"
                " it was last applied",
                hint="nothing was changed; export it anew. Where it is right, give the source another name in"
                " the config: what was applied under that one counts no more",
            )


def refuse_emptiness(desired: Desired, remembered: Remembered, *, authority: str) -> None:
    """A source that suddenly has nobody is broken, whatever it says (peers.md A8.1).

    Raises IncompleteReadError where departments or members are none and there were some before: by
    its last applied read, or for `authority`, the sync's first source, by what is ours in WeCom.
    """
    has_people = any(link.state is LinkState.OURS for link in remembered.members.values())
    has_departments = any(link.state is LinkState.OURS for link in remembered.departments.values())
    had = {"members": has_people, "departments": has_departments}
    for reading in desired.readings:
        baseline = remembered.baselines.get((reading.source, reading.query), 0)
        had_some = baseline or (reading.source == authority and had.get(reading.query))
        if reading.rows == 0 and reading.query in had and had_some:
            raise IncompleteReadError(
                reading.source,
                f"the {reading.query} query gives no rows, and there were {baseline or 'some'} before",
                hint="nothing was changed; look at the query, its rights and the database behind it",
            )
