"""What shows that a listing of a directory is whole: who reads, which server answers, and a second look."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from wxsync.model.message import Message, say
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import SUCCESS, Retold
from wxsync.sources.ldap_pages import Listing
from wxsync.sources.ldap_wire import Wire
from wxsync.sources.proof import Evidence

OF_THE_SERVER: Final = ("dnsHostName", "dsServiceName", "currentTime", "tokenGroups")
"""What only Active Directory tells of itself and of who is bound ([MS-ADTS] 3.1.1.3.2)."""
OF_THE_BASE: Final = ("entryUUID", "objectGUID")
OF_CREATION: Final = ("createTimestamp", "whenCreated")
ANONYMOUS_SID: Final = bytes.fromhex("010100000000000507000000")
SECOND: Final = "%Y%m%d%H%M%S"
"""Generalised time down to the second; such texts compare as the times do."""
MOST_LOOKED_UP: Final = 200
"""Entries that only the second look has: so many are looked up for when they were created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What the server said of itself and of us at one moment."""

    identity: str | None
    """As whom it lets us read; None where it does not say, empty is anonymous."""
    place: str
    """A digest of which server it is and which entry the base is."""
    second: str


class Witness:
    """Asks the server who reads, and who answers; `first` is what it said when the session began.

    Every reading is held against that: a line that a balancer leads elsewhere between two of them would
    give departments of one directory and people of another.
    """

    def __init__(self, wire: Wire, base: str, retold: Retold) -> None:
        self._wire = wire
        self._base = base
        self._retold = retold
        self.first = self.testify()

    def testify(self) -> Testimony:
        """Ask it now; raises SourceUnavailableError where the line breaks."""
        with self._retold.reading("asking the server who it is"):
            root = _only(self._wire.read("", OF_THE_SERVER).entries)
            base = _only(self._wire.read(self._base, OF_THE_BASE).entries)
            result, name = self._wire.who_am_i()
        groups = root.attributes.get("tokengroups", ())
        said = name if result.code == SUCCESS else None
        return Testimony(
            identity=_identity(said, groups),
            place=_digest(
                value
                for entry, names in ((root, OF_THE_SERVER[:2]), (base, OF_THE_BASE))
                for name in names
                for value in (name.encode(), *entry.attributes.get(name.lower(), ()))
            ),
            second=_second(root.attributes.get("currenttime", ())),
        )


def _identity(said: str | None, groups: tuple[bytes, ...]) -> str | None:
    if ANONYMOUS_SID in groups or said in ("", "dn:"):
        return ""
    if not groups:
        return said
    return f"{said or ''} {_digest(sorted(groups))}"


def _only(entries: tuple[Entry, ...]) -> Entry:
    return entries[0] if len(entries) == 1 else Entry("", {})


def _digest(values: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(len(value).to_bytes(8, "big") + value)
    return digest.hexdigest()


def _second(current_time: tuple[bytes, ...]) -> str:
    """By the server's own clock where it shows one."""
    told = current_time[0][:14].decode("ascii", "replace") if current_time else ""
    return told if told.isdigit() else datetime.now(UTC).strftime(SECOND)


class Roll:
    """Which DNs were read, in eight bytes each."""

    def __init__(self) -> None:
        self._marks = array("q")
        self._is_sorted = True

    def add(self, dn: str) -> None:
        self._marks.append(hash(dn))
        self._is_sorted = False

    def __contains__(self, dn: str) -> bool:
        if not self._is_sorted:
            self._marks = array("q", sorted(self._marks))
            self._is_sorted = True
        mark = hash(dn)
        at = bisect_left(self._marks, mark)
        return at < len(self._marks) and self._marks[at] == mark


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What a search for DNs alone found, held against what had been read."""

    counted: int | None
    uncounted: Message | None = None
    strangers: tuple[str, ...] = ()
    """DNs that had not been read; at most MOST_LOOKED_UP."""


class Survey:
    """The entries of one search, once, and the evidence that they are all.

    The second look is taken by `seal`, after the last entry and after all that was asked on the ground of
    them: so it also sees what changed in between. Only creations explain why it shows more: whoever
    was there before and was not read was missed. Nothing explains why it shows less: an access rule that
    hides entries from one moment on looks the same as their deletion.
    """

    def __init__(
        self,
        first: Listing,
        second: Listing,
        witness: Witness,
        wire: Wire,
        retold: Retold,
        declared: Collection[str] = (),
    ) -> None:
        self._first = first
        self._second = second
        self._witness = witness
        self._wire = wire
        self._retold = retold
        self._declared = frozenset(host.lower() for host in declared)
        """Hosts of referrals that may be left out."""
        self._roll = Roll()
        self._began = ""
        self._evidence: Evidence | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Every entry; raises SourceUnavailableError where the line breaks, SourceError where none comes."""
        self._began = self._witness.testify().second
        for entry in self._first:
            self._roll.add(entry.dn)
            yield entry
        self._first.demand()

    def seal(self) -> None:
        """Look a second time, and ask a last time who reads and who answers.

        Raises SourceUnavailableError where the line breaks.
        """
        look = self._look(self._roll)
        created = self._created_since(self._began, look.strangers)
        self._evidence = self._weigh(look, created, self._witness.first, self._witness.testify())

    @property
    def evidence(self) -> Evidence:
        """What was observed; before it was sealed, that it did not end."""
        if self._evidence is None:
            return Evidence(rows=self._first.entries, has_ended=False)
        return self._evidence

    def _look(self, roll: Roll) -> SecondLook:
        if self._first.broken is not None:
            return SecondLook(counted=None)
        strangers: list[str] = []
        for entry in self._second:
            if entry.dn not in roll and len(strangers) < MOST_LOOKED_UP:
                strangers.append(entry.dn)
        if self._second.broken is not None:
            return SecondLook(counted=None, uncounted=self._second.broken)
        return SecondLook(counted=self._second.entries, strangers=tuple(strangers))

    def _created_since(self, second: str, strangers: tuple[str, ...]) -> int:
        with self._retold.reading("looking up what was created meanwhile"):
            return sum(self._is_newer(dn, second) for dn in strangers)

    def _is_newer(self, dn: str, second: str) -> bool:
        entry = _only(self._wire.read(dn, OF_CREATION).entries)
        created = [value for name in OF_CREATION for value in entry.attributes.get(name.lower(), ())]
        # Not in the same second: it may have been there before the first look.
        return any(
            value.endswith(b"Z") and value[:14].decode("ascii", "replace") > second for value in created
        )

    def _weigh(self, look: SecondLook, created: int, before: Testimony, after: Testimony) -> Evidence:
        first = self._first
        broken = first.broken
        # Who became nobody does not see the base any more: that is told as what it is.
        if broken is None and before.identity == after.identity and before.place != after.place:
            broken = say("another server, or another base_dn, answered at the end than at the beginning")
        missed = len(look.strangers) - created
        gone = first.entries - ((look.counted or 0) - len(look.strangers))
        return Evidence(
            rows=first.entries,
            has_ended=first.has_ended,
            broken=broken,
            counted=look.counted,
            uncounted=look.uncounted,
            created=created,
            strays=missed + max(0, gone),
            is_watched=True,
            before=before.identity,
            after=after.identity,
            referrals=tuple(sorted({*first.referrals, *self._second.referrals} - self._declared)),
        )
