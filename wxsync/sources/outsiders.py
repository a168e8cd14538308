"""Who is in a group and is nobody of the sync: left out of it, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from wxsync.model.desired import LeftOut, ReadingProof


class Outsiders:
    """The people of one query's groups who are left out; whoever is in several groups is one of them."""

    def __init__(self) -> None:
        self._groups: dict[str, set[str]] = {}
        self._all: set[str] = set()

    def add(self, group: str | None, who: Iterable[str]) -> None:
        """Take these for left out of the group; None is one of which nobody knows what it is called."""
        names = frozenset(who)
        self._all |= names
        if group is not None and names:
            self._groups.setdefault(group, set()).update(names)

    def told_in(self, proof: ReadingProof) -> ReadingProof:
        """The proof that tells of them too, beside those of whom it tells already, who are others."""
        counts = Counter({name: len(who) for name, who in self._groups.items()})
        counts.update({each.name: each.count for each in proof.left_out_of})
        ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        return replace(
            proof,
            left_out=proof.left_out + len(self._all),
            left_out_of=tuple(LeftOut(name=name, count=count) for name, count in ranked),
        )
