"""What has changed in Active Directory: each domain controller numbers what is written to it (USN).

A number means something on that one controller alone, and only until its database is restored, which gives
it another invocationId ([MS-ADTS] 3.1.1.1.9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from wxsync.config.settings import LdapSourceSettings
from wxsync.model.message import Message, say
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import SUCCESS, Retold, told
from wxsync.sources.ldap_filters import all_of, any_of
from wxsync.sources.ldap_ways import Changes, Unwatchable
from wxsync.sources.ldap_wire import Page, Wire

DELETED: Final = "CN=Deleted Objects"
"""The container of what is left of deleted entries, below the root of their naming context."""
LAST_PARENT: Final = "lastKnownParent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByUsn:
    """A domain controller as it stood a moment ago."""

    wire: Wire
    retold: Retold
    settings: LdapSourceSettings
    root: str
    """Of the naming context that holds base_dn."""
    server: str
    invocation: str
    usn: int
    sees_deleted: bool

    kind = "usn"

    @property
    def position(self) -> tuple[str, ...]:
        return self.invocation, str(self.usn)

    @property
    def how(self) -> Message:
        return say("uSNChanged on {server}, which stands at {usn}", server=self.server, usn=self.usn)

    @property
    def unseen(self) -> tuple[Message, ...]:
        if self.sees_deleted:
            return ()
        return (say("this account may not see which entries were deleted"),)

    @property
    def cure(self) -> Message:
        return say("let the account of bind_dn list and read {place}", place=f"{DELETED},{self.root}")

    def against(self, before: Sequence[str]) -> Message | None:
        """Why a position cannot be held against this one: it is none, of another database, or ahead."""
        if len(before) != 2 or not before[1].isdecimal():
            return say("the mark cannot be read")
        if before[0] != self.invocation:
            return say("the domain controller's database was restored since the mark was taken")
        if int(before[1]) > self.usn:
            return say("the server is behind the mark: it lags, or was restored from a backup")
        return None

    def is_still(self, before: Sequence[str]) -> bool | Message:
        """Whether this controller has not written anything at all since."""
        return int(before[1]) == self.usn

    def changes(self, before: Sequence[str], attributes: Sequence[str]) -> Changes | Message:
        """Of each search the first page of what was written since.

        Below the base that is any entry; elsewhere in the domain one that a filter of the config finds, since
        it may have been moved out. A move changes the entry alone, and shows only where it is now.
        """
        since = f"(uSNChanged>={int(before[1]) + 1})"
        asked = (*attributes, "objectGUID")
        own = self.settings
        mapped = [own.departments, own.members, own.memberships, own.groups]
        elsewhere = all_of(since, any_of(*(each for each in mapped if each is not None)))
        touched: dict[str, Entry] = {}
        for base, filter_ in ((own.base_dn, since), (self.root, elsewhere)):
            found = self._search(base, filter_, asked)
            if isinstance(found, Message):
                return found
            touched |= {entry.dn: entry for entry in found.entries}
        gone = self._gone(since, asked)
        if isinstance(gone, Message):
            return gone
        return replace(gone, touched=tuple(touched.values()))

    def _gone(self, since: str, asked: Sequence[str]) -> Changes | Message:
        """What was deleted below the base; of more than a page of them some may be, and it is as if so."""
        if not self.sees_deleted:
            return Changes(is_certain=False)
        deleted = all_of("(isDeleted=TRUE)", since)
        found = self._search(f"{DELETED},{self.root}", deleted, (*asked, LAST_PARENT), deleted_too=True)
        if isinstance(found, Message):
            return found
        ours = tuple(each for each in found.entries if self._was_ours(each))
        return Changes(is_certain=bool(found.cookie), gone=ours)

    def _was_ours(self, entry: Entry) -> bool:
        """Below the base; or below something that was deleted with it, wherever that was."""
        base = Dn(self.settings.base_dn)
        return any(
            parent.is_below(base) or parent.is_below(Dn(f"{DELETED},{self.root}"))
            for parent in _names(entry.attributes.get(LAST_PARENT.lower(), ()))
        )

    def _search(
        self, base: str, filter_: str, asked: Sequence[str], *, deleted_too: bool = False
    ) -> Page | Message:
        with self.retold.reading("asking what has changed"):
            page = self.wire.page(
                base, filter_, asked, size=self.settings.page_size, cookie=b"", deleted_too=deleted_too
            )
        if page.result.code != SUCCESS:
            return say("the server does not say what has changed: {result}", result=told(page.result))
        return page


def stand_by_usn(
    wire: Wire, retold: Retold, settings: LdapSourceSettings, *, root: str
) -> ByUsn | Unwatchable:
    """How the domain controller stands now; why not where it does not show its number, or its database's."""
    with retold.reading("reading highestCommittedUSN"):
        of_server = _only(wire.read("", ("highestCommittedUSN", "dsServiceName", "dnsHostName")).entries)
        service = _first(of_server, "dsservicename")
        of_service = _only(wire.read(service, ("invocationId",)).entries) if service else Entry("", {})
        bin_ = wire.read(f"{DELETED},{root}", ("cn",), deleted_too=True)
    usn, ids = _first(of_server, "highestcommittedusn"), of_service.attributes.get("invocationid", ())
    if not usn.isdecimal() or not ids:
        return Unwatchable(
            why=say("the domain controller does not show highestCommittedUSN and its own invocationId"),
            cure=say("let the account of bind_dn read the rootDSE and the entry that dsServiceName names"),
        )
    return ByUsn(
        wire=wire,
        retold=retold,
        settings=settings,
        root=root,
        server=_first(of_server, "dnshostname") or service,
        invocation=ids[0].hex(),
        usn=int(usn),
        # Its name alone is shown to everybody; who may read it may read what is in it.
        sees_deleted=bool(_first(_only(bin_.entries), "cn")),
    )


def _only(entries: Sequence[Entry]) -> Entry:
    return entries[0] if len(entries) == 1 else Entry("", {})


def _first(entry: Entry, attribute: str) -> str:
    return next(iter(entry.attributes.get(attribute, ())), b"").decode("utf-8", "replace")


def _names(values: Sequence[bytes]) -> Iterator[Dn]:
    for value in values:
        with suppress(DnError):
            yield Dn(value.decode("utf-8", "replace"))
