"""What a run that applies remembers of hands, in one transaction with the values that they left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set

from wxsync.engine.decide import Decision
from wxsync.engine.drift import IN_TAG
from wxsync.model.change import Kind
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.unknown import UNKNOWN


def noted(decision: Decision) -> list[Drift]:
    """What is new of every difference in which a hand had a part; of the others nothing.

    Everybody's, also where the run carries out one person's changes alone: what WeCom shows of all is
    remembered by it. An undo writes nobody's source value.
    """
    places = {each.place: _written_as(each.place) for each in decision.handwork}
    tried = _tried(decision, frozenset(places.values()))
    notes = (decision.hands.noted(each, is_tried=places[each.place] in tried) for each in decision.handwork)
    before = decision.remembered.drifts
    return [drift for drift in notes if before.get(drift.place) != drift]


def noted_unasked(decision: Decision, keys: Iterable[str]) -> Iterator[Drift]:
    """A hand's changes of these members where nobody knows just now what the source asks for.

    A rejected row, a leaver, a source that was not read whole: when the source's word is known again, it
    must not pass for new. Only of fields in which that word is not all.
    """
    hands = decision.hands
    for key in keys if hands.yielding else ():
        for field in hands.yielding:
            place = (Kind.MEMBER, key, field)
            three = decision.sides.of_member(key, field)
            if three.wanted is UNKNOWN and three.is_fresh and place not in hands.drifts:
                yield Drift(kind=Kind.MEMBER, key=key, field=field, base=three.wrote)


def outdated(decision: Decision, renewed: Collection[DriftPlace]) -> Iterator[DriftPlace]:
    """Notes that are over: the source has changed, or it and WeCom agree and nothing was put back of late."""
    for place, drift in decision.remembered.drifts.items():
        if place in renewed:
            continue
        three = decision.sides.at(place)
        if three is None:
            yield place
        elif three.wanted is UNKNOWN:
            continue  # a doubt ends nothing
        elif three.shown == three.wanted:
            # Where the source came round to it, its next change is its own.
            if not decision.hands.recent(drift) or drift.base != three.wanted:
                yield place
        elif drift.base != three.wanted and decision.hands.authority_of(place[0], place[2]) != "report":
            yield place


def healed(decision: Decision, name: str) -> Drift | None:
    """What is noted of a tag's name, now that it was given back: what comes next is another change."""
    notes = (each for each in decision.handwork if each.place == (Kind.TAG, name, "name"))
    renamed = next(notes, None)
    if renamed is None:
        return None
    drift = decision.hands.noted(renamed, is_tried=True)
    return Drift(kind=drift.kind, key=name, field="name", base=drift.base, put_back_at=drift.put_back_at)


def _tried(decision: Decision, places: Set[DriftPlace]) -> frozenset[DriftPlace]:
    """Those of the places that the plan writes; a first load writes a million others."""
    if not places or decision.plan.undoes is not None:
        return frozenset()
    return frozenset(
        place
        for change in decision.plan.writes
        if not change.is_temporary
        for field in change.fields
        if (place := (change.kind, str(change.key), field)) in places
    )


def _written_as(place: DriftPlace) -> DriftPlace:
    """Somebody's place in a tag is written as one of its members."""
    kind, key, field = place
    return (kind, key, "members") if kind is Kind.TAG and field.startswith(IN_TAG) else place
