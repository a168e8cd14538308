"""What is kept of the userid of somebody who was erased: enough to give it to nobody else."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Final, Self

HASHED: Final = "~"
"""Before the hash; no userid has it in it (WeCom page 90195)."""
DIGITS: Final = 60
SIZE: Final = DIGITS // 2
"""Bytes of a hash."""


def taken_hash(folded: str) -> str:
    """The hash of a userid. Whoever has the mirror and guesses the userid can see that it was one."""
    hashed = hashlib.sha256(f"wxsync-taken/1\n{folded}".encode()).hexdigest()
    return HASHED + hashed[:DIGITS]


@dataclass(frozen=True, slots=True, eq=False)
class TakenHashes(Set[str]):
    """A set of such hashes in a fifth of the memory: they are kept for ever, and every run has them all."""

    packed: bytes
    """One after the other, sorted."""

    @classmethod
    def of(cls, hashes: Iterable[str]) -> Self:
        """Those that `taken_hash` gave."""
        plain = {bytes.fromhex(each.removeprefix(HASHED)) for each in hashes}
        return cls(b"".join(sorted(plain)))

    def __contains__(self, hashed: object) -> bool:
        if not isinstance(hashed, str) or len(hashed) != 1 + DIGITS or not hashed.startswith(HASHED):
            return False
        sought = bytes.fromhex(hashed.removeprefix(HASHED))
        place = bisect_left(range(len(self)), sought, key=self._at)
        return place < len(self) and self._at(place) == sought

    def __iter__(self) -> Iterator[str]:
        return (HASHED + self._at(place).hex() for place in range(len(self)))

    def __len__(self) -> int:
        return len(self.packed) // SIZE

    def _at(self, place: int) -> bytes:
        return self.packed[place * SIZE : (place + 1) * SIZE]
