"""Who in WeCom already is who in the source: evidence, weighed, and never more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wxsync.config.settings import MemberMapping
from wxsync.model.member import Member, fold
from wxsync.model.seen import SeenMember

FACTS: Final = ("name", "mobile", "email")
"""What tells one person from another, beside the userid."""


class Weight(StrEnum):
    """What the evidence is good for (contract §2, Adoption)."""

    PROVEN = "proven"
    """The userid and a second fact agree: adopted without asking."""
    WEAK = "weak"
    """One thing agrees and nothing else can be read, or another userid has the number: by approval."""
    CONTRADICTED = "contradicted"
    """The userid agrees and every other fact that can be read does not: somebody else."""
    UNCLEAR = "unclear"
    """More than one record could be meant."""
    GENERATED = "generated"
    """Only a userid agrees that was made from the name, as a namesake's would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A member of WeCom who is not ours and looks like somebody of the source."""

    userid: str
    """As WeCom spells it."""
    agree: tuple[str, ...]
    """"userid", "name", "mobile", "email": what agrees."""
    differ: tuple[str, ...]
    """What can be read and does not."""
    weight: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """Finds the foreign member whom somebody of the source looks like."""

    strangers: Mapping[str, SeenMember]
    """Folded userid -> member of WeCom who is not ours."""
    recognise_by: tuple[str, ...]
    """The policy's `adopt`."""
    is_generated: bool
    """Userids are made from names: two people of one name are as likely as one person."""
    _holders: Mapping[tuple[str, str], tuple[str, ...]]
    """(field, value) -> folded userids that show it."""

    @classmethod
    def among(
        cls, strangers: Mapping[str, SeenMember], recognise_by: tuple[str, ...], *, is_generated: bool
    ) -> Resemblance:
        holders: dict[tuple[str, str], list[str]] = {}
        for folded, stranger in strangers.items():
            for field in ("mobile", "email"):
                value = None if stranger.shown is None else getattr(stranger.shown, field)
                if isinstance(value, str):
                    holders.setdefault((field, value), []).append(folded)
        return cls(
            strangers=strangers,
            recognise_by=recognise_by,
            is_generated=is_generated,
            _holders={key: tuple(found) for key, found in holders.items()},
        )

    def match(self, wanted: Member) -> Match | None:
        """Whom the person looks like; None where nobody of WeCom resembles them at all."""
        candidates = set(self._candidates(wanted))
        if not candidates:
            return None
        folded = fold(wanted.userid)
        if folded in candidates:
            return self._by_userid(wanted, self.strangers[folded], others=candidates - {folded})
        if len(candidates) > 1:
            return Match(userid=min(candidates), agree=(), differ=(), weight=Weight.UNCLEAR)
        stranger = self.strangers[candidates.pop()]
        agree, differ = compare(wanted, stranger)
        may_adopt = any(field in self.recognise_by for field in agree)
        weight = Weight.WEAK if may_adopt else Weight.CONTRADICTED
        return Match(userid=stranger.userid, agree=agree, differ=(*differ, "userid"), weight=weight)

    def _candidates(self, wanted: Member) -> Iterator[str]:
        folded = fold(wanted.userid)
        if folded in self.strangers:
            yield folded
        for field in ("mobile", "email"):
            value = getattr(wanted, field)
            if isinstance(value, str):
                yield from self._holders.get((field, value), ())

    def _by_userid(self, wanted: Member, stranger: SeenMember, others: Iterable[str]) -> Match:
        """By userid, and what else agrees. A number that a third record shows makes nothing unclear:
        it is refused when it is taken."""
        agree, differ = compare(wanted, stranger)
        # The name says no more than a userid that was made from it.
        second = [field for field in agree if not (self.is_generated and field == "name")]
        if second:
            weight = Weight.PROVEN
        elif differ or any(others):
            weight = Weight.CONTRADICTED
        elif self.is_generated and not agree:
            weight = Weight.GENERATED
        else:
            weight = Weight.WEAK
        return Match(userid=stranger.userid, agree=("userid", *agree), differ=differ, weight=weight)


def is_generated(mapping: MemberMapping) -> bool:
    """The userid is made from the name: by `pinyin`, or from a column that the name is made from too."""
    userid = mapping.userid
    return "pinyin" in userid.filters or bool(userid.names & mapping.name.names)


def compare(wanted: Member, stranger: SeenMember) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(facts that agree, facts that do not); what either side does not tell is neither."""
    agree: list[str] = []
    differ: list[str] = []
    for field in FACTS:
        asked = getattr(wanted, field)
        shown = None if stranger.shown is None else getattr(stranger.shown, field)
        if isinstance(asked, str) and isinstance(shown, str):
            (agree if asked == shown else differ).append(field)
    return tuple(agree), tuple(differ)


def doubly_meant(matches: Mapping[str, Match]) -> frozenset[str]:
    """Keys of people of the source who look like one and the same member of WeCom.

    Whose place there is proven is not among them: a number that somebody else shares holds up nobody.
    """
    claims = Counter(fold(match.userid) for match in matches.values())
    return frozenset(
        key
        for key, match in matches.items()
        if claims[fold(match.userid)] > 1 and match.weight is not Weight.PROVEN
    )
