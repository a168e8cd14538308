"""One listing of a directory, page by page: it is whole only where the server said so after every page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from wxsync.model.message import Message, say
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import SUCCESS, Retold, told
from wxsync.sources.ldap_wire import Page, Result, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked of the server; `what` names it for people."""

    what: str
    base: str
    filter: str
    attributes: Sequence[str]
    page_size: int


class Listing:
    """The entries of one search, fetched as they are asked for, once.

    After the last one `broken` says why there may be more, or is None.
    """

    def __init__(self, wire: Wire, search: Search, retold: Retold) -> None:
        self._wire = wire
        self._search = search
        self._retold = retold
        self._referrals: dict[str, None] = {}
        self.entries = 0
        self.has_ended = False
        self.broken: Message | None = None
        self._refusal: Result | None = None

    def __iter__(self) -> Iterator[Entry]:
        """Every entry; raises SourceUnavailableError where the line breaks."""
        cookie = b""
        number = 0
        while not self.has_ended and self.broken is None:
            number += 1
            page = self._fetch(cookie, number)
            self._referrals |= dict.fromkeys(host_of(url) for url in page.referrals)
            self.entries += len(page.entries)
            yield from page.entries
            self._judge(page, cookie, number)
            cookie = page.cookie or b""

    @property
    def referrals(self) -> tuple[str, ...]:
        """The hosts to which the server referred; none of them was asked."""
        return tuple(self._referrals)

    def demand(self) -> None:
        """Raise SourceError where the server refused the search and gave nothing at all."""
        if self._refusal is not None and not self.entries:
            raise self._retold.refused(self._search.what, self._refusal)

    def _fetch(self, cookie: bytes, number: int) -> Page:
        search = self._search
        with self._retold.reading(f"{search.what}, page {number},"):
            return self._wire.page(
                search.base, search.filter, search.attributes, size=search.page_size, cookie=cookie
            )

    def _judge(self, page: Page, cookie: bytes, number: int) -> None:
        if page.result.code != SUCCESS:
            self._refusal = page.result
            self.broken = say(
                "the server ended page {page} with {result}", page=number, result=told(page.result)
            )
        elif page.cookie is None:
            # Paging with some other control, or a proxy in between: "success", and the rest is missing.
            self.broken = say("the server did not say after page {page} whether there are more", page=number)
        elif not page.cookie:
            self.has_ended = True
        elif not page.entries and page.cookie == cookie:
            self.broken = say("the server gives page {page} again and again", page=number)


def host_of(url: str) -> str:
    """The referral's host in lower case; the URL itself where it has none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
