"""Values that no two members of a corp may share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from wxsync.model.change import Kind, Rejected
from wxsync.model.member import UNIQUE_FIELDS, Member, fold
from wxsync.model.message import say

MOST_NAMED = 3


def duplicates(members: Mapping[str, Member]) -> dict[str, tuple[Rejected, ...]]:
    """Key -> rejects, for everybody who shares a userid, mobile, e-mail or biz_mail with another.

    Nobody can tell whose it is, so all who share it are rejected; the problem names the others by
    key and keeps the value to itself.
    """
    found: dict[str, list[Rejected]] = {}
    for field in ("userid", *UNIQUE_FIELDS):
        for keys in _sharers(members, field):
            for key in keys:
                found.setdefault(key, []).append(_reject(key, field, keys))
    return {key: tuple(rejects) for key, rejects in found.items()}


def _sharers(members: Mapping[str, Member], field: str) -> Collection[list[str]]:
    first: dict[str, str] = {}
    sharers: dict[str, list[str]] = {}
    for key, member in members.items():
        value = fold(member.userid) if field == "userid" else getattr(member, field)
        if isinstance(value, str) and (owner := first.setdefault(value, key)) != key:
            sharers.setdefault(value, [owner]).append(key)
    return sharers.values()


def _reject(key: str, field: str, keys: Sequence[str]) -> Rejected:
    problem = say("{field} is also that of {keys}", field=field, keys=others(key, keys))
    return Rejected(kind=Kind.MEMBER, key=key, field=field, rule=f"duplicate_{field}", problem=problem)


def others(key: str, keys: Sequence[str]) -> str:
    """The keys beside `key`, as many as a reader can use: there may be thousands."""
    named = [other for other in keys[: MOST_NAMED + 1] if other != key][:MOST_NAMED]
    rest = len(keys) - 1 - len(named)
    return ", ".join(named) + (f" (+{rest})" if rest else "")
