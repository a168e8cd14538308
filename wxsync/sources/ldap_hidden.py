"""What a directory does not show: an entry that is gone is told from one that is hidden from this account."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import uuid4

from wxsync.sources.dn import Dn
from wxsync.sources.ldap_errors import BAD_DN, NO_SUCH_OBJECT, REFERRAL
from wxsync.sources.ldap_pages import host_of
from wxsync.sources.ldap_wire import Page

Ask = Callable[[str], Page]
"""Looks for one entry by its DN, and says how the server answered."""


class Hidden:
    """Asks about entries that were not found. What it has learned of a place it does not ask again."""

    def __init__(self, ask: Ask, declared: Collection[str] = ()) -> None:
        self._ask = ask
        self._declared = frozenset(host.lower() for host in declared)
        """Hosts of referrals that may be left out."""
        self._tells: dict[str, bool] = {}

    def may_be(self, dn: Dn) -> bool:
        """Whether there may be an entry of this name that this account is not shown.

        A server that has it and hides it answers as if it were gone, with one difference: of what is
        really gone it says what the nearest entry above is (matchedDN, RFC 4511 §4.1.9; OpenLDAP does).
        Where it says that of a name that nobody can have, and not of this one, this one is hidden. A
        server that never says it cannot be seen through: then nothing is taken for hidden.
        """
        page = self._ask(dn)
        if page.result.code == REFERRAL:
            return not {host_of(url) for url in page.result.referrals} <= self._declared
        if page.result.code == NO_SUCH_OBJECT:
            return not page.result.matched and self._is_covered(dn)
        return page.result.code != BAD_DN

    def _is_covered(self, dn: Dn) -> bool:
        """By itself, or by something above it; the first entry above that is shown knows."""
        above = dn.parent
        while above.key:
            page = self._ask(above)
            if page.entries:
                return self._says_what_matched(above)
            if page.result.matched:
                return False
            above = above.parent
        return False

    def _says_what_matched(self, above: Dn) -> bool:
        if above.key not in self._tells:
            nobody = self._ask(f"cn={uuid4()},{above}")
            self._tells[above.key] = bool(nobody.result.matched)
        return self._tells[above.key]
