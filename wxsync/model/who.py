"""Whom somebody means by a name that they typed: a source key or a userid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from wxsync.errors import WxsyncError
from wxsync.model.member import fold

KEY: Final = "key:"
USERID: Final = "userid:"
Someone = TypeVar("Someone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """What a name may be; one that begins with `key:` or `userid:` is that alone."""

    key: str | None
    userid: str | None
    """Folded."""

    @classmethod
    def of(cls, text: str) -> Who:
        named = text.strip()
        if named.startswith(KEY):
            return cls(key=named.removeprefix(KEY), userid=None)
        if named.startswith(USERID):
            return cls(key=None, userid=fold(named.removeprefix(USERID)))
        return cls(key=named, userid=fold(named))


def only_one(by_key: Iterable[Someone], by_userid: Iterable[Someone]) -> Someone | None:
    """Whoever the name is of; None where it is nobody's. Never one of two who both go by it.

    Raises WxsyncError, without repeating what may be a phone number, and says how the one or the other is
    meant.
    """
    keyed, named = frozenset(by_key), frozenset(by_userid)
    if len(keyed | named) <= 1:
        return next(iter(keyed | named), None)
    if len(keyed) > 1:
        raise WxsyncError("several people go by this source key", hint=f"name one by the userid: {USERID}…")
    if len(named) > 1:
        raise WxsyncError("several people go by this userid", hint=f"name one by the source key: {KEY}…")
    raise WxsyncError(
        "this is the source key of somebody and the userid of somebody else",
        hint=f"say which is meant: {KEY}… or {USERID}…, with the name after it",
    )
