"""The rows of a directory's queries: people and departments as they come, groups once people are known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from wxsync.model.desired import ReadingProof
from wxsync.model.message import Message, say
from wxsync.sources.base import MEMBERSHIPS, NOBODY, TAGS, Row
from wxsync.sources.dn import Dn
from wxsync.sources.ldap_crowds import Chain, Walk
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_groups import (
    ANY,
    CHAIN_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    Crowds,
    MembershipRows,
    Staff,
    TagRows,
)
from wxsync.sources.ldap_pages import Listing
from wxsync.sources.ldap_proof import Survey
from wxsync.sources.ldap_ranges import TornRangeError, whole
from wxsync.sources.ldap_rows import Layout
from wxsync.sources.outsiders import Outsiders
from wxsync.sources.proof import prove

UNREAD: Final = say("people were not read whole before, so who is in which group is not known")
TORN: Final = say("an entry stopped giving its values half-way")


class Line(Protocol):
    """The session, as far as streams use it."""

    @property
    def name(self) -> str: ...

    def survey(self, query: str, attributes: Sequence[str]) -> Survey: ...

    @property
    def root(self) -> str: ...

    def listing(
        self, what: str, filter_: str, attributes: Sequence[str], base: str | None = None
    ) -> Listing: ...

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None: ...

    def member(self, dn: Dn) -> Entry | None: ...

    def may_be_hidden(self, dn: Dn) -> bool: ...


class Sight:
    """Reads entries with all their values, and remembers where that broke off."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.broken: Message | None = None

    def search(self, filter_: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """Every entry below the base that the filter finds."""
        listing = self._line.listing("a search within a group", filter_, attributes)
        for entry in listing:
            yield self.whole(entry)
        if listing.broken is not None:
            self.doubt(listing.broken)

    def census(self, filter_: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """What the filter finds in all that the server has; that some is missing is no doubt of a reading."""
        aside = Sight(self._line)
        for entry in self._line.listing("a count of a group", filter_, attributes, self._line.root):
            yield aside.whole(entry)

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None:
        """The entry of this DN."""
        entry = self._line.lookup(dn, attributes, filter_)
        return None if entry is None else self.whole(entry)

    def member(self, dn: Dn) -> Entry | None:
        """The entry of this DN, where the members query finds it now."""
        return self._line.member(dn)

    def may_be_hidden(self, dn: Dn) -> bool:
        """Whether there may be an entry of this DN that wxsync is not shown."""
        return self._line.may_be_hidden(dn)

    def doubt(self, problem: Message) -> None:
        """Hold that the reading is not whole; of several problems the first is told."""
        self.broken = self.broken or problem

    def whole(self, entry: Entry) -> Entry:
        """The entry with all values of attributes that come in pieces."""
        try:
            return whole(entry, lambda dn, attribute: self._line.lookup(dn, (attribute,)))
        except TornRangeError:
            self.doubt(TORN)
            return entry


class EntryStream:
    """Rows that are made of the entries of one search, fetched as they are asked for.

    `make` turns the entries into rows; it sees each of them once. Where it makes other rows than one of each
    entry, `counts` says which of them hold something: they are the rows of the proof. `staff` is told whether
    the rows, which are people, are proven to be all.
    """

    def __init__(
        self,
        line: Line,
        query: str,
        columns: tuple[str, ...],
        attributes: Iterable[str],
        make: Callable[[Iterator[Entry], Sight], Iterable[Row]],
        vocabulary: Collection[str] | None = None,
        counts: Callable[[Row], bool] | None = None,
        staff: Staff | None = None,
    ) -> None:
        self.columns = columns
        self.vocabulary = vocabulary
        self._name = line.name
        self._query = query
        self._make = make
        self._counts = counts
        self._staff = staff
        self._rows = 0
        self._sight = Sight(line)
        self._survey = line.survey(query, tuple(dict.fromkeys(attributes)))
        self._outsiders = Outsiders()

    def __iter__(self) -> Iterator[Row]:
        """Every row, once; raises SourceUnavailableError where the server breaks off."""
        rows = self._make((self._sight.whole(entry) for entry in self._survey), self._sight)
        for row in rows:
            self._rows += self._counts is not None and self._counts(row)
            yield row
        self._survey.seal()
        if self._staff is not None:
            self._staff.is_whole = self.proof.is_complete
        if isinstance(rows, TagRows | MembershipRows):
            self._outsiders = rows.outsiders

    @property
    def proof(self) -> ReadingProof:
        """Complete where every page ended well and everything else about the reading agrees."""
        evidence = self._survey.evidence
        evidence = replace(evidence, broken=evidence.broken or self._sight.broken)
        proof = self._outsiders.told_in(prove(self._name, self._query, evidence))
        if self._counts is None:
            return proof
        return replace(proof, rows=self._rows, entries=evidence.rows)


def entries(
    line: Line, query: str, layout: Layout, vocabulary: Collection[str], staff: Staff | None = None
) -> EntryStream:
    """A row for each entry; whoever is read is entered into `staff`."""

    def make(found: Iterator[Entry], _: Sight) -> Iterator[Row]:
        for entry in found:
            if staff is not None:
                staff.note(entry)
            yield layout.row(entry)

    asks = staff.asks if staff is not None else ()
    attributes = (*layout.attributes, *asks)
    return EntryStream(line, query, layout.columns, attributes, make, vocabulary, staff=staff)


def distinct(line: Line, query: str, layout: Layout, attribute: str) -> EntryStream:
    """A row for each value of an attribute."""
    return EntryStream(
        line,
        query,
        layout.columns,
        layout.attributes,
        lambda found, _: layout.distinct(found, attribute),
        counts=lambda _: True,
    )


def tags(line: Line, staff: Staff, *, named: str, members: str) -> EntryStream:
    """A row for each place in a group, direct or through other groups; people must have been read before."""

    def make(found: Iterator[Entry], sight: Sight) -> TagRows:
        groups = _groups(found, staff, sight)
        crowds: Crowds = Chain(staff, sight, members)
        if not staff.is_active_directory:
            crowds = Walk(staff, sight, groups)
        return TagRows(groups, named, crowds)

    asks = CHAIN_ATTRIBUTES if staff.is_active_directory else GROUP_ATTRIBUTES
    return EntryStream(line, TAGS, TagRows.columns, (named, *asks), make, counts=_places_somebody)


def memberships(line: Line, staff: Staff) -> EntryStream:
    """A row for each direct place in a group; people must have been read before."""
    asks = (*GROUP_ATTRIBUTES, *(CHAIN_ATTRIBUTES if staff.is_active_directory else ()))
    return EntryStream(
        line,
        MEMBERSHIPS,
        MembershipRows.columns,
        asks,
        lambda found, sight: MembershipRows(_groups(found, staff, sight), staff, sight),
        counts=_places_somebody,
    )


def _groups(found: Iterator[Entry], staff: Staff, sight: Sight) -> list[Entry]:
    """All of them, before anything else is asked: another listing would end this one (OpenLDAP)."""
    groups = list(found)
    if not staff.is_whole:
        sight.doubt(UNREAD)
    return groups


def _places_somebody(row: Row) -> bool:
    return row["member"] not in (None, NOBODY)
