"""The hashes of userids that are taken for ever, packed."""

from __future__ import annotations

import sys

from wxsync.model.taken import TakenHashes, taken_hash

HASHES = frozenset(taken_hash(f"user{number}") for number in range(1000))


def test_it_has_those_that_were_put_in_and_no_others() -> None:
    """It is equal to the plain set, and tells of each hash whether it is there."""
    packed = TakenHashes.of(HASHES)
    assert set(packed) == HASHES
    assert len(packed) == len(HASHES)
    assert all(each in packed for each in HASHES)
    assert not any(taken_hash(f"other{number}") in packed for number in range(1000))


def test_nothing_else_is_in_it() -> None:
    """Neither a userid that is no hash, nor a part of one, nor anything that is no text."""
    packed = TakenHashes.of(HASHES)
    one = min(HASHES)
    assert not any(each in packed for each in ("user1", one[1:], one[:-1], "~", "", None, 7))


def test_without_any_it_is_empty() -> None:
    """Most corps have erased nobody."""
    packed = TakenHashes.of(())
    assert not packed
    assert taken_hash("user1") not in packed


def test_it_takes_a_fifth_of_the_memory() -> None:
    """Of everybody who ever left one is kept."""
    plain = sys.getsizeof(HASHES) + sum(map(sys.getsizeof, HASHES))
    assert sys.getsizeof(TakenHashes.of(HASHES).packed) * 4.5 < plain
