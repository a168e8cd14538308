"""The rows of a directory's queries: people and departments as they come, groups once people are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from wxsync.model.desired import ReadingProof
from wxsync.model.message import Message, say
from wxsync.sources.base import MEMBERSHIPS, TAGS, Row
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_groups import (
    ANY,
    CHAIN_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
    Chain,
    Crowds,
    MembershipRows,
    Staff,
    TagRows,
    Walk,
)
from wxsync.sources.ldap_pages import Listing
from wxsync.sources.ldap_proof import Survey
from wxsync.sources.ldap_ranges import TornRangeError, whole
from wxsync.sources.ldap_rows import Layout
from wxsync.sources.proof import prove

TORN: Final = say("an entry stopped giving its values half-way")


class Line(Protocol):
    """The session, as far as streams use it."""

    @property
    def name(self) -> str: ...

    def survey(self, query: str, attributes: Sequence[str]) -> Survey: ...

    def listing(self, what: str, filter_: str, attributes: Sequence[str]) -> Listing: ...

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None: ...


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
        self.broken = self.broken or listing.broken

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None:
        """The entry of this DN."""
        entry = self._line.lookup(dn, attributes, filter_)
        return None if entry is None else self.whole(entry)

    def whole(self, entry: Entry) -> Entry:
        """The entry with all values of attributes that come in pieces."""
        try:
            return whole(entry, lambda dn, attribute: self._line.lookup(dn, (attribute,)))
        except TornRangeError:
            self.broken = self.broken or TORN
            return entry


class EntryStream:
    """Rows that are made of the entries of one search, fetched as they are asked for.

    `make` turns the entries into rows; it sees each of them once.
    """

    def __init__(
        self,
        line: Line,
        query: str,
        columns: tuple[str, ...],
        attributes: Iterable[str],
        make: Callable[[Iterator[Entry], Sight], Iterable[Row]],
    ) -> None:
        self.columns = columns
        self._name = line.name
        self._query = query
        self._make = make
        self._sight = Sight(line)
        self._survey = line.survey(query, tuple(dict.fromkeys(attributes)))
        self._left_out = 0

    def __iter__(self) -> Iterator[Row]:
        """Every row, once; raises SourceUnavailableError where the server breaks off."""
        rows = self._make((self._sight.whole(entry) for entry in self._survey), self._sight)
        yield from rows
        if isinstance(rows, TagRows | MembershipRows):
            self._left_out = rows.left_out

    @property
    def proof(self) -> ReadingProof:
        """Complete where every page ended well and everything else about the reading agrees."""
        evidence = self._survey.evidence
        evidence = replace(evidence, broken=evidence.broken or self._sight.broken)
        return replace(prove(self._name, self._query, evidence), left_out=self._left_out)


def entries(line: Line, query: str, layout: Layout, staff: Staff | None = None) -> EntryStream:
    """A row for each entry; whoever is read is entered into `staff`."""

    def make(found: Iterator[Entry], _: Sight) -> Iterator[Row]:
        for entry in found:
            if staff is not None:
                staff.note(entry)
            yield layout.row(entry)

    asks = staff.asks if staff is not None else ()
    return EntryStream(line, query, layout.columns, (*layout.attributes, *asks), make)


def distinct(line: Line, query: str, layout: Layout, attribute: str) -> EntryStream:
    """A row for each value of an attribute."""
    return EntryStream(
        line, query, layout.columns, layout.attributes, lambda found, _: layout.distinct(found, attribute)
    )


def tags(line: Line, staff: Staff, *, named: str, members: str) -> EntryStream:
    """A row for each place in a group, direct or through other groups; people must have been read before."""

    def make(found: Iterator[Entry], sight: Sight) -> TagRows:
        groups = list(found)  # a listing within a listing would end this one (OpenLDAP)
        crowds: Crowds = Chain(staff, sight, members)
        if not staff.is_active_directory:
            crowds = Walk(staff, sight, groups)
        return TagRows(groups, named, crowds)

    asks = CHAIN_ATTRIBUTES if staff.is_active_directory else MEMBER_ATTRIBUTES
    return EntryStream(line, TAGS, TagRows.columns, (named, *asks), make)


def memberships(line: Line, staff: Staff) -> EntryStream:
    """A row for each direct place in a group; people must have been read before."""
    asks = (*MEMBER_ATTRIBUTES, *(CHAIN_ATTRIBUTES if staff.is_active_directory else ()))
    return EntryStream(
        line,
        MEMBERSHIPS,
        MembershipRows.columns,
        asks,
        lambda found, _: MembershipRows(list(found), staff),
    )
