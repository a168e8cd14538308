"""A directory asked, at the price of a few look-ups, whether anything has changed since a mark.

The answer decides how soon the next full reading comes and whom to look at first. It removes nobody and is
no reading. Whatever is not certain is "nobody can tell", upon which all is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.model.message import Message, say
from wxsync.model.watch import Stirred, Watching
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_csn import stand_by_csn
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import Retold
from wxsync.sources.ldap_marks import Mark, parse_mark, scope_of
from wxsync.sources.ldap_proof import Witness
from wxsync.sources.ldap_rows import Shape
from wxsync.sources.ldap_usn import stand_by_usn
from wxsync.sources.ldap_ways import Unwatchable, Way
from wxsync.sources.ldap_wire import ACTIVE_DIRECTORY, Wire
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key

OF_THE_SERVER: Final = ("supportedCapabilities", "namingContexts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The question, on a line on which the account is bound.

    Raises SourceUnavailableError where the line breaks.
    """

    settings: LdapSourceSettings
    name: str
    wire: Wire
    witness: Witness

    def mark(self) -> str | None:
        """Where the directory stands now; None where it does not say."""
        way = self._way()
        return None if isinstance(way, Unwatchable) else self._mark(way).text()

    def watching(self) -> Watching:
        """By what it is watched, tried."""
        way = self._way()
        if isinstance(way, Unwatchable):
            return Watching(source=self.name, why=way.why, cure=way.cure)
        tried = way.is_still(way.position)
        if isinstance(tried, Message):
            return Watching(source=self.name, why=tried, cure=way.cure)
        cure = way.cure if way.unseen else None
        return Watching(source=self.name, how=way.how, unseen=way.unseen, cure=cure)

    def stirred(self, mark: str | None, key: Expression, shape: Callable[[], Shape]) -> Stirred:
        """What may have changed since `mark`; `shape`, which costs more, is asked for where something has.

        Raises what `shape` raises.
        """
        way = self._way()
        if isinstance(way, Unwatchable):
            return Stirred(source=self.name, why=way.why)
        now = self._mark(way)
        before = parse_mark(mark) if mark is not None else None
        why = _unlike(mark, before, now)
        if before is None or why is not None or (why := way.against(before.position)) is not None:
            return Stirred(source=self.name, mark=now.text(), why=why)
        still = way.is_still(before.position)
        if isinstance(still, Message):
            return Stirred(source=self.name, mark=now.text(), why=still)
        if still:
            return Stirred(source=self.name, mark=now.text(), is_quiet=True)
        return self._changed(way, before, now, key, shape())

    def _changed(self, way: Way, before: Mark, now: Mark, key: Expression, shape: Shape) -> Stirred:
        layout = shape.layout(key.names)
        changes = way.changes(before.position, layout.attributes)
        if isinstance(changes, Message):
            return Stirred(source=self.name, mark=now.text(), why=changes)
        keys = _keys((*changes.touched, *changes.gone), key, shape)
        return Stirred(
            source=self.name,
            mark=now.text(),
            is_quiet=not (changes.is_certain or changes.touched or changes.gone),
            keys=keys,
            dns=frozenset(entry.dn for entry in changes.touched),
        )

    def _mark(self, way: Way) -> Mark:
        first = self.witness.first
        scope = scope_of(self.settings, first.identity)
        return Mark(kind=way.kind, place=first.place, scope=scope, position=way.position)

    def _way(self) -> Way | Unwatchable:
        retold = Retold(source=self.name)
        with retold.reading("asking the server what it keeps count of"):
            page = self.wire.read("", OF_THE_SERVER)
        server = page.entries[0] if page.entries else Entry("", {})
        context = _context(server.attributes.get("namingcontexts", ()), self.settings.base_dn)
        if context is None:
            return Unwatchable(
                why=say("the server does not say in which of its databases base_dn is"),
                cure=say("let the account of bind_dn read namingContexts of the rootDSE"),
            )
        if ACTIVE_DIRECTORY in server.attributes.get("supportedcapabilities", ()):
            return stand_by_usn(self.wire, retold, self.settings, root=context)
        return stand_by_csn(
            self.wire, retold, base=self.settings.base_dn, suffix=context, most=self.settings.page_size
        )


def _unlike(text: str | None, before: Mark | None, now: Mark) -> Message | None:
    """Why the mark is not one of this directory, read as it is read now."""
    if text is None:
        return say("no whole reading that was applied has left a mark")
    if before is None:
        return say("the mark cannot be read")
    if (before.kind, before.place) != (now.kind, now.place):
        return say("the mark is of another server, or of another base_dn")
    if before.scope != now.scope:
        return say("since the mark was taken the config asks otherwise, or the account has other rights")
    return None


def _context(names: Sequence[bytes], base: str) -> str | None:
    """The naming context that holds the base: the longest of those above it."""
    found: list[Dn] = []
    with suppress(DnError):
        here = Dn(base)
        for name in names:
            with suppress(DnError):
                context = Dn(name.decode("utf-8", "replace"))
                found += [context] if context and here.is_below(context) else []
    return str(max(found, key=lambda context: len(context.key))) if found else None


def _keys(entries: Iterable[Entry], key: Expression, shape: Shape) -> frozenset[str]:
    """What the sync calls them, of those that have the attributes for it."""
    layout = shape.layout(key.names)
    keys: set[str] = set()
    for entry in entries:
        with suppress(Breach):
            keys.add(read_key(key, layout.row(entry)))
    return frozenset(keys)
