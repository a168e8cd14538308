"""Direct leaders who are not there yet: waited for, set in a call of their own, or left for later."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from wxsync.model.change import Change, Kind, Reason, Verb
from wxsync.model.message import say


@dataclass(frozen=True, slots=True, kw_only=True)
class PartedLeaders:
    """Members whose direct leader is created by the same plan: member key -> leader key."""

    together: Mapping[str, str]
    """The leader's creation comes first, then one call says all."""
    apart: Mapping[str, str]
    """`direct_leader` is set by a call of its own, after both."""


def part_leaders(writes: Mapping[str, Change]) -> PartedLeaders:
    """Who can wait for the leader's creation, and who cannot without waiting for oneself.

    An update may release a value that the leader's creation takes, so it never waits whole; among
    creations a circle of leaders is opened at one place.
    """
    leaders = {
        key: leader
        for key, change in writes.items()
        if (leader := _leader(change)) is not None
        and leader in writes
        and writes[leader].verb in (Verb.CREATE, Verb.ADOPT)
    }
    created = {key: leader for key, leader in leaders.items() if writes[key].verb is Verb.CREATE}
    opened = _openings(created)
    together = {key: leader for key, leader in created.items() if key not in opened}
    apart = {key: leader for key, leader in leaders.items() if key not in together}
    return PartedLeaders(together=together, apart=apart)


def _leader(change: Change) -> str | None:
    values = change.fields.get("direct_leader")
    return values.after if values is not None and isinstance(values.after, str) else None


def leaders_in(changes: Iterable[Change]) -> frozenset[str]:
    """The keys of all direct leaders whom changes of members ask for."""
    asked = (_leader(change) for change in changes if change.kind is Kind.MEMBER)
    return frozenset(leader for leader in asked if leader is not None)


def _openings(leaders: Mapping[str, str]) -> frozenset[str]:
    """One key of every circle that following the leaders runs into."""
    openings: set[str] = set()
    settled: set[str] = set()
    for start in sorted(leaders):
        path: list[str] = []
        on_path: set[str] = set()
        key: str | None = start
        while key is not None and key not in settled and key not in on_path:
            path.append(key)
            on_path.add(key)
            key = leaders.get(key)
        if key is not None and key in on_path:
            openings.add(key)
        settled |= on_path
    return frozenset(openings)


def leave_out_absent(changes: Iterable[Change], present: Collection[str]) -> Iterator[Change]:
    """The same changes without direct leaders who will not be in WeCom when this plan is done.

    `present` are the keys of those of them who are there or are created. Nothing is lost: the leader is set
    by the run that finds both.
    """
    for change in changes:
        leader = _leader(change) if change.kind is Kind.MEMBER else None
        if leader is None or leader in present or change.verb is Verb.KEEP:
            yield change
            continue
        rest = {name: values for name, values in change.fields.items() if name != "direct_leader"}
        if rest:
            yield replace(change, fields=rest)
        yield replace(
            change,
            verb=Verb.KEEP,
            id=None if change.verb is Verb.CREATE else change.id,
            fields={"direct_leader": change.fields["direct_leader"]},
            why=say("its direct leader {key} is not in WeCom yet", key=leader),
            reason=Reason.WAITING,
        )
