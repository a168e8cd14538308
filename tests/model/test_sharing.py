"""Equal values as one object."""

from __future__ import annotations

from wxsync.model.sharing import Sharing, shared


def test_the_first_of_equal_values_stands_for_all():
    """What is equal is handed out as the same object, and nothing else is."""
    sharing = Sharing[frozenset[str]]()
    first, equal, other = frozenset({"D1"}), frozenset({"D1"}), frozenset({"D2"})
    assert equal is not first
    assert sharing.one(first) is first
    assert sharing.one(equal) is first
    assert sharing.one(other) is other


def test_a_shared_function_gives_what_it_gave_before():
    """Equal results of different calls are one object."""
    clean = shared(lambda value: str(value).strip())
    assert clean(" 高级工程师 ") is clean("高级工程师")
    assert clean(" x") == "x"
