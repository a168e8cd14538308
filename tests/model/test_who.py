"""Whom a name means that somebody typed."""

from __future__ import annotations

import pytest

from wxsync.errors import WxsyncError
from wxsync.model.who import Who, only_one


@pytest.mark.parametrize(
    ("text", "key", "userid"),
    [
        (" E1 ", "E1", "e1"),
        ("key:E1", "E1", None),
        ("userid:E1", None, "e1"),
        ("key:userid:E1", "userid:E1", None),
    ],
)
def test_a_name_is_a_key_or_a_userid_unless_it_says_which(
    text: str, key: str | None, userid: str | None
) -> None:
    """Userids are compared without case."""
    assert Who.of(text) == Who(key=key, userid=userid)


def test_one_by_both_is_one() -> None:
    """And nobody is nobody."""
    assert only_one(["E1"], ["E1"]) == "E1"
    assert only_one([], ["E1"]) == "E1"
    assert only_one([], []) is None


@pytest.mark.parametrize(
    ("by_key", "by_userid", "said", "hint"),
    [
        (["E1"], ["E2"], "the source key of somebody and the userid of somebody else", "key:… or userid:…"),
        (["E1", "E2"], [], "several people go by this source key", "userid:…"),
        (["E1"], ["E1", "E2"], "several people go by this userid", "key:…"),
    ],
)
def test_two_are_never_taken_for_one(by_key: list[str], by_userid: list[str], said: str, hint: str) -> None:
    """It is said how the one or the other is meant."""
    with pytest.raises(WxsyncError, match=said) as raised:
        only_one(by_key, by_userid)
    assert hint in str(raised.value.hint)
