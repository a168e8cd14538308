"""Numbers and addresses that an undo cannot give back, because somebody keeps them by now. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from wxsync.engine.undo_members import UndoneMembers
from wxsync.model.member import UNIQUE_FIELDS
from wxsync.model.unknown import UNKNOWN


def give_up_what_is_taken(members: UndoneMembers) -> None:
    """Take out of what people get back whatever somebody else holds when this is done.

    One alone: the rest of that person's fields come back all the same. Whoever goes without keeps what they
    have, which may be what another one was to get back: so it is looked at again until it stands.
    """
    while True:
        holders = dict(_holders(members))
        taken = [
            (key, name, holder)
            for key, name, value in list(_wishes(members))
            if (holder := holders.get((name, value), key)) != key
        ]
        if not taken:
            return
        for key, name, holder in taken:
            members.give_up(key, name, holder)


def _wishes(members: UndoneMembers) -> Iterator[tuple[str, str, str]]:
    """(key, field, value) of every number and address that somebody is to get back."""
    for key, fields in members.fields.items():
        for name in UNIQUE_FIELDS:
            if name in fields and isinstance(value := fields[name].after, str):
                yield key, name, value
    for key, member in members.made_anew.items():
        for name in UNIQUE_FIELDS:
            if isinstance(value := getattr(member, name), str):
                yield key, name, value


def _holders(members: UndoneMembers) -> Iterator[tuple[tuple[str, str], str]]:
    """(field, value) -> who has it and keeps it: strangers too, as far as WeCom shows them.

    Of two who are to get the same back the first one does.
    """
    for key, name, value in sorted(_wishes(members), reverse=True):
        yield (name, value), key
    actual = members.ground.actual
    for stranger in actual.strangers.values():
        for name in UNIQUE_FIELDS:
            shown = UNKNOWN if stranger.shown is None else getattr(stranger.shown, name)
            if isinstance(shown, str):
                yield (name, shown), stranger.userid
    for key in actual.members:
        fields = members.fields.get(key, {})
        for name in UNIQUE_FIELDS:
            if name in fields:
                continue
            for held in actual.may_hold(key, name):
                if isinstance(held, str):
                    yield (name, held), key
