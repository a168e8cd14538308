"""A file of which half is gone was cut, or is another file: refused, whatever the limits allow (issue 5)."""

from __future__ import annotations

from typing import Final

from wxsync.errors import IncompleteReadError
from wxsync.model.desired import Desired
from wxsync.model.remembered import Remembered
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
