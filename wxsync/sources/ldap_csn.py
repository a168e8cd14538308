"""What has changed in OpenLDAP: contextCSN says whether, a sync request (RFC 4533) says which entries.

contextCSN is true only where the overlay syncprov keeps it: without that it stays for ever what it was when
the database was loaded, and looks like a directory in which nothing happens. The sync request, which only
such a database takes, is therefore made also where contextCSN is as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wxsync.model.message import Message, say
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import ADMIN_LIMIT, SIZE_LIMIT, SUCCESS, TIME_LIMIT, Retold, told
from wxsync.sources.ldap_sync import cookie_of, deleted_ids, refresh_request
from wxsync.sources.ldap_ways import Changes, Unwatchable
from wxsync.sources.ldap_wire import NO_ATTRIBUTES, Page, Wire

CSN: Final = re.compile(r"\d{14}\.\d{6}Z#[0-9a-f]{6}#(?P<server>[0-9a-f]{3})#[0-9a-f]{6}")
"""When, how often within that moment, by which server, and within which operation; text order is time's."""
NO_SUCH_CONTROL: Final = 12
UNFINISHED: Final = frozenset({SUCCESS, TIME_LIMIT, SIZE_LIMIT, ADMIN_LIMIT})
"""What the server answers who knows the request: with a limit some of the entries are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCsn:
    """A database of OpenLDAP as it stood a moment ago. One CSN a server that writes to it."""

    wire: Wire
    retold: Retold
    base: str
    suffix: str
    position: tuple[str, ...]
    most: int
    """So many entries are named."""

    kind = "csn"
    unseen: tuple[Message, ...] = ()

    @property
    def how(self) -> Message:
        ids = ", ".join(_by_server(self.position))
        return say("contextCSN of {suffix} (server ids: {ids})", suffix=self.suffix, ids=ids)

    @property
    def cure(self) -> Message:
        return _cure(self.suffix)

    def against(self, before: Sequence[str]) -> Message | None:
        """Why a position cannot be held against this one: it is none, or ahead of it."""
        then, now = _by_server(before), _by_server(self.position)
        if len(then) != len(before):
            return say("the mark cannot be read")
        if any(server not in now or now[server] < csn for server, csn in then.items()):
            return say("the server is behind the mark: it lags, or was restored from a backup")
        return None

    def is_still(self, before: Sequence[str]) -> bool | Message:
        """Whether nothing was written since; why nobody can tell where the server does not keep count."""
        if _by_server(before) != _by_server(self.position):
            return False
        found = self.changes(before, ())
        if isinstance(found, Message):
            return found
        return not found.touched and not found.gone

    def changes(self, before: Sequence[str], attributes: Sequence[str]) -> Changes | Message:
        """Entries below the base that were written since, and the ids of those that are gone, as far as the
        server remembers them (its sessionlog)."""
        asked = (*attributes, "entryUUID") if attributes else NO_ATTRIBUTES
        with self.retold.reading("asking what has changed"):
            page = self.wire.sync(self.base, asked, refresh_request(cookie_of(before)), most=self.most)
        if page.result.code not in UNFINISHED:
            return _refused(page)
        gone = (Entry("", {"entryuuid": (str(each).encode(),)}) for each in deleted_ids(page.notices))
        return Changes(is_certain=True, touched=page.entries, gone=tuple(gone))


def stand_by_csn(wire: Wire, retold: Retold, *, base: str, suffix: str, most: int) -> ByCsn | Unwatchable:
    """How the database below `suffix` stands now; why not where it does not show contextCSN."""
    with retold.reading("reading contextCSN"):
        page = wire.read(suffix, ("contextCSN",))
    values = [value for entry in page.entries for value in entry.attributes.get("contextcsn", ())]
    csns = sorted(value.decode("ascii", "replace") for value in values)
    if not csns or len(_by_server(csns)) != len(csns):
        return Unwatchable(
            why=say("it shows no contextCSN at {suffix}", suffix=suffix),
            cure=_cure(suffix),
        )
    return ByCsn(wire=wire, retold=retold, base=base, suffix=suffix, position=tuple(csns), most=most)


def _cure(suffix: str) -> Message:
    return say(
        "put the overlay syncprov on that database, and let the account of bind_dn read contextCSN"
        " of {suffix}",
        suffix=suffix,
    )


def _refused(page: Page) -> Message:
    if page.result.code == NO_SUCH_CONTROL:
        return say("contextCSN is there, but not kept: the overlay syncprov is not on this database")
    return say("the server does not say what has changed: {result}", result=told(page.result))


def _by_server(csns: Iterable[str]) -> dict[str, str]:
    """Server id -> its CSN; what is no CSN is left out, and of two of one server the later one counts."""
    found = (CSN.fullmatch(csn) for csn in sorted(csns))
    return {match["server"]: match[0] for match in found if match is not None}
