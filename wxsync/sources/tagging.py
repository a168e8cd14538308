"""Tags: by rule over the member rows, and by the rows of the tags query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wxsync.config.expressions import Expression
from wxsync.model.change import Kind, Rejected
from wxsync.model.member import Member
from wxsync.model.message import Message, say
from wxsync.model.normal import clean
from wxsync.model.tag import Tag
from wxsync.sources.base import NOBODY, RowStream
from wxsync.sources.fields import TAG_NAME_LIMIT
from wxsync.sources.normal import Breach, key_of, text_of
from wxsync.sources.outsiders import Outsiders
from wxsync.sources.people import People


def clean_rules(rules: Mapping[str, Expression]) -> tuple[tuple[str, Expression], ...]:
    """The tags by rule under their clean names."""
    return tuple((cleaned, rule) for name, rule in rules.items() if (cleaned := clean(name)) is not None)


class Tagging:
    """Gathers who is in which tag, among the people who are wanted."""

    def __init__(self, people: People, members: Mapping[str, Member]) -> None:
        self._people = people
        self._members = members
        self._tags: dict[str, set[str]] = {}
        self._named: set[str] = set()
        self._refused: set[tuple[str, str]] = set()
        self.rejected: list[Rejected] = []
        self.undecided_places: set[tuple[str, str]] = set()
        self.undecided_tags: set[str] = set()
        self.outsiders = Outsiders()
        """Of the query that was read last: whom a later source knows and the first does not."""

    def apply_rules(self, names: Iterable[str]) -> None:
        """Take what the rules said of each row; of a rejected person they said nothing."""
        unjudged = {*self._people.refused, *(self._people.candidates.keys() - self._members.keys())}
        for name in names:
            if self._is_usable(name):
                self._tags.setdefault(name, set())
                self.undecided_places.update((name, key) for key in unjudged)
        for key in self._members:
            person = self._people.candidates[key]
            for name in person.tags & self._tags.keys():
                self._tags[name].add(key)
            self.undecided_places.update((name, key) for name in person.undecided_tags)

    def read(self, stream: RowStream) -> int:
        """Take all rows of a query: tag name, member key; gives how many may be of any tag."""
        self.outsiders = Outsiders()
        tag, member = stream.columns[:2]
        return sum(not self._take(row[tag], row[member]) for row in stream)

    def _take(self, tag: object, member: object) -> bool:
        """Whether the row's tag could be told."""
        try:
            name = text_of(tag, "tag")
        except Breach:
            name = None
        if name is None:
            self._refuse(None, "tag", "key", say("a tag row has no readable tag name"))
            return False
        if self._is_usable(name):
            if member is NOBODY:
                self._named.add(name)
            else:
                self._tags.setdefault(name, set())
                self._put(name, member)
        return True

    def _is_usable(self, name: str) -> bool:
        """Whether WeCom takes the name (WeCom page 90210, errcode 40072)."""
        if len(name) <= TAG_NAME_LIMIT:
            return True
        problem = say("{field} is longer than {limit} characters", field="tag", limit=TAG_NAME_LIMIT)
        self._doubt(name, "tag", "length", problem)
        return False

    def _put(self, name: str, member: object) -> None:
        try:
            person = key_of(member, "member")
        except Breach:
            person = None
        if person is None:
            self._doubt(name, "members", "key", say("a row of this tag has no readable member key"))
            return
        key = self._people.refs.get(person)
        if key is None and person in self._people.strangers:
            self.outsiders.add(name, (person,))
        elif key is None:
            problem = say("a row of this tag names {key}, whom no source knows", key=person)
            self._doubt(name, "members", "unknown_member", problem)
        elif key in self._members:
            self._tags[name].add(key)
        elif key not in self._people.leavers:
            self.undecided_places.add((name, key))

    def _doubt(self, name: str, field: str, rule: str, problem: Message) -> None:
        self.undecided_tags.add(name)
        if (name, str(problem)) not in self._refused:
            self._refused.add((name, str(problem)))
            self._refuse(name, field, rule, problem)

    def _refuse(self, key: str | None, field: str, rule: str, problem: Message) -> None:
        self.rejected.append(Rejected(kind=Kind.TAG, key=key, field=field, rule=rule, problem=problem))

    @property
    def empty(self) -> frozenset[str]:
        """Tags that are there, and of which no rule and no row says who is in them."""
        return frozenset(self._named - self._tags.keys())

    def tags(self) -> dict[str, Tag]:
        """Every tag that is asked for, also those that hold nobody."""
        return {name: Tag(name=name, members=frozenset(keys)) for name, keys in self._tags.items()}
