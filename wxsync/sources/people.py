"""All rows of the members query, each judged once and then let go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wxsync.model.change import Kind, Rejected
from wxsync.model.message import Message, say
from wxsync.sources.base import NamedRow, Row
from wxsync.sources.joining import Joining
from wxsync.sources.mapping import Candidate, Leaver, MemberRules, Refused, Verdict
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key, reject


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody whom the first source knows by key, and how other rows may point to them."""

    candidates: Mapping[str, Candidate]
    leavers: Mapping[str, Message]
    refused: Mapping[str, tuple[Rejected, ...]]
    refs: Mapping[str, str]
    """What rows call a person -> the person's key."""
    keyless: tuple[Rejected, ...]
    """A reject for each row whose key cannot be read."""
    strangers: frozenset[str] = frozenset()
    """What rows of a later directory call people whom it knows and the first source does not."""

    @property
    def keys(self) -> frozenset[str]:
        """Of everybody who has a row."""
        return frozenset({*self.candidates, *self.leavers, *self.refused})


def read_people(rows: Iterable[Row], rules: MemberRules, joining: Joining) -> People:
    """Judge every row; all rows of a doubled key, or of a doubled `ref`, are refused."""
    verdicts: dict[str, Verdict] = {}
    doubles: Counter[str] = Counter()
    keyless: list[Rejected] = []
    entries: dict[str, str] = {}
    for row in rows:
        try:
            key = read_key(rules.mapping.key, row)
        except Breach as breach:
            keyless.append(reject(Kind.MEMBER, None, "key", breach))
            continue
        entries.update(_entries(row, key))
        if key in verdicts:
            doubles[key] += 1
            continue
        try:
            whole = joining.complete(row, key)
            entries.update(_entries(whole, key))
            verdicts[key] = rules.judge(key, whole)
        except Breach as breach:
            verdicts[key] = _refusal(key, key, "key", breach)
    for key, more in doubles.items():
        problem = say("{count} rows have this key", count=more + 1)
        verdicts[key] = _refusal(key, verdicts[key].ref, "key", Breach("duplicate_key", problem))
    refs = _refs(verdicts)
    return People(
        candidates={key: each for key, each in verdicts.items() if isinstance(each, Candidate)},
        leavers={key: each.why for key, each in verdicts.items() if isinstance(each, Leaver)},
        refused={key: each.rejected for key, each in verdicts.items() if isinstance(each, Refused)},
        refs={**entries, **refs} if entries else refs,
        keyless=tuple(keyless),
        strangers=joining.strangers(),
    )


def _entries(row: Row, key: str) -> dict[str, str]:
    """By what names the rows of directories call whoever this row is about."""
    return dict.fromkeys(row.names, key) if isinstance(row, NamedRow) else {}


def _refusal(key: str, ref: str | None, field: str, breach: Breach) -> Refused:
    return Refused(key=key, ref=ref, rejected=(reject(Kind.MEMBER, key, field, breach),))


def _refs(verdicts: dict[str, Verdict]) -> dict[str, str]:
    """Who is meant by which name; where a name means two of them, both are refused here."""
    refs: dict[str, str] = {}
    for key, verdict in verdicts.items():
        if verdict.ref is None:
            continue
        other = refs.setdefault(verdict.ref, key)
        if other != key:
            for each, namesake in ((key, other), (other, key)):
                problem = say("it has the same ref as {keys}", keys=namesake)
                verdicts[each] = _refusal(each, verdict.ref, "ref", Breach("duplicate_key", problem))
    return refs
