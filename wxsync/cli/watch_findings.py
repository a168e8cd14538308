"""What `wxsync check` says of sources that are watched: by what, and what cannot be seen so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wxsync.cli.finding import Finding, note, ok
from wxsync.model.watch import Watching


def of_watching(watched: Iterable[Watching]) -> Iterator[Finding]:
    """Nothing of sources that the config does not have watched. None of it is a fault: all is read anyway."""
    for each in watched:
        cure = str(each.cure) if each.cure is not None else None
        if each.how is None:
            yield note(
                f"source {each.source} cannot be watched, and is read when the schedule says so: {each.why}",
                cure,
            )
            continue
        yield ok(
            f"source {each.source} is watched by {each.how}; what that does not see is in docs/safety.md,"
            ' "Watching"'
        )
        for unseen in each.unseen:
            yield note(f"source {each.source}: {unseen}", cure)
