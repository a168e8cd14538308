"""The page loop, against a line whose far end is scripted page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ldap3 import Connection, Server

from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import Retold
from wxsync.sources.ldap_pages import Listing, Search
from wxsync.sources.ldap_wire import Page, Result, Wire

SUCCESS = Result(code=0, name="success", message="")
BUSY = Result(code=51, name="busy", message="")
DENIED = Result(code=50, name="insufficientAccessRights", message="")
SIZE_LIMIT = Result(code=4, name="sizeLimitExceeded", message="")
ENTRIES = tuple(Entry(f"uid=u{number},dc=example", {}) for number in range(9))
SEARCH = Search(
    what="the members search", base="dc=example", filter="(uid=*)", attributes=("cn",), page_size=3
)


class Scripted(Wire):
    """A line whose far end gives these pages, one a request, and remembers what it was asked."""

    def __init__(self, *pages: Page | Exception) -> None:
        super().__init__(Connection(Server("127.0.0.1")))
        self.pages = list(pages)
        self.asked: list[tuple[Any, ...]] = []

    def page(
        self,
        base: str,
        filter_: str,
        attributes: Sequence[str],
        *,
        size: int,
        cookie: bytes,
        deleted_too: bool = False,
    ) -> Page:
        del deleted_too
        self.asked.append((base, filter_, tuple(attributes), size, cookie))
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def page(
    first: int,
    last: int,
    cookie: bytes | None,
    result: Result = SUCCESS,
    referrals: Sequence[str] = (),
) -> Page:
    """The entries from `first` up to and without `last`."""
    return Page(entries=ENTRIES[first:last], referrals=tuple(referrals), result=result, cookie=cookie)


def listing(*pages: Page | Exception) -> tuple[Listing, Scripted]:
    wire = Scripted(*pages)
    return Listing(wire, SEARCH, Retold(source="ad")), wire


def read(*pages: Page | Exception) -> tuple[list[str], bool, str | None, list[bytes]]:
    """DNs, whether it ended, what broke it, and the cookies that were sent."""
    found, wire = listing(*pages)
    dns = [entry.dn for entry in found]
    assert found.entries == len(dns)
    assert wire.pages == [], "every page was asked for"
    broken = None if found.broken is None else str(found.broken)
    return dns, found.has_ended, broken, [asked[-1] for asked in wire.asked]


def dns(count: int) -> list[str]:
    return [entry.dn for entry in ENTRIES[:count]]


def test_it_ends_where_the_cookie_is_empty() -> None:
    """Each page is asked for with the cookie of the one before it."""
    assert read(page(0, 3, b"one"), page(3, 6, b"two"), page(6, 7, b"")) == (
        dns(7),
        True,
        None,
        [b"", b"one", b"two"],
    )


def test_everything_that_the_search_says_is_asked() -> None:
    """Base, filter, attributes and size, on every page."""
    found, wire = listing(page(0, 3, b"one"), page(3, 4, b""))
    assert list(found) == list(ENTRIES[:4])
    assert [asked[:-1] for asked in wire.asked] == [("dc=example", "(uid=*)", ("cn",), 3)] * 2


@pytest.mark.parametrize("last", [page(3, 3, b""), page(3, 6, b"")])
def test_the_last_page_may_be_empty_or_full(last: Page) -> None:
    """The cookie says that it is the last one, and nothing else does."""
    names, has_ended, broken, _ = read(page(0, 3, b"one"), last)
    assert (names, has_ended, broken) == (dns(3 + len(last.entries)), True, None)


def test_an_empty_page_in_between_is_no_end() -> None:
    """A server may search long for nothing: as long as its place moves, it is asked on."""
    pages = (page(0, 3, b"one"), page(3, 3, b"two"), page(3, 3, b"three"), page(3, 4, b""))
    assert read(*pages)[:3] == (dns(4), True, None)


def test_pages_that_are_small_with_the_same_cookie_are_no_circle() -> None:
    """Some servers keep one cookie for a whole search: it is the entries that show that it moves."""
    assert read(page(0, 1, b"one"), page(1, 2, b"one"), page(2, 3, b""))[:3] == (dns(3), True, None)


def test_an_empty_listing_is_whole() -> None:
    """Nobody is there: that is an answer."""
    assert read(page(0, 0, b"")) == ([], True, None, [b""])


@pytest.mark.parametrize(
    ("pages", "count", "problem"),
    [
        (
            [page(0, 3, b"one"), page(3, 5, b"", SIZE_LIMIT)],
            5,
            "the server ended page 2 with sizeLimitExceeded (4)",
        ),
        (
            [page(0, 3, b"one"), page(3, 3, None, BUSY)],
            3,
            "the server ended page 2 with busy (51)",
        ),
        ([page(0, 3, None, SIZE_LIMIT)], 3, "the server ended page 1 with sizeLimitExceeded (4)"),
        ([page(0, 3, None)], 3, "the server did not say after page 1 whether there are more"),
        (
            [page(0, 3, b"one"), page(3, 6, None)],
            6,
            "the server did not say after page 2 whether there are more",
        ),
        (
            [page(0, 3, b"one"), page(3, 3, b"one")],
            3,
            "the server gives page 2 again and again",
        ),
        (
            [page(0, 3, b"one"), page(3, 3, b"two"), page(3, 3, b"two")],
            3,
            "the server gives page 3 again and again",
        ),
    ],
)
def test_what_breaks_it_is_told_and_ends_it(pages: list[Page], count: int, problem: str) -> None:
    """What came before is given, and it has not ended."""
    assert read(*pages)[:3] == (dns(count), False, problem)


@pytest.mark.parametrize(("result", "kind"), [(BUSY, SourceUnavailableError), (DENIED, SourceError)])
def test_a_search_that_gives_nothing_but_a_refusal_is_an_error(
    result: Result, kind: type[SourceError]
) -> None:
    """It is no reading at all, and no empty one: for whoever demands that there be one."""
    found, _ = listing(page(0, 0, None, result))
    assert list(found) == []
    assert (found.has_ended, found.broken is None) == (False, False)
    with pytest.raises(kind, match=f"the members search failed: {result.name}") as caught:
        found.demand()
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "pages",
    [[page(0, 0, b"")], [page(0, 3, b"")], [page(0, 3, None)], [page(0, 3, b"one"), page(3, 3, None, BUSY)]],
)
def test_whoever_gave_something_has_refused_nothing(pages: list[Page]) -> None:
    """Nobody at all is an answer, and what broke off is a reading that is not whole."""
    found, _ = listing(*pages)
    list(found)
    found.demand()


def test_a_line_that_breaks_is_a_source_that_cannot_be_reached() -> None:
    """On whatever page; what was given by then is no reading."""
    for pages in ([OSError("reset")], [page(0, 3, b"one"), OSError("reset")]):
        found, _ = listing(*pages)
        with pytest.raises(SourceUnavailableError, match=f"the members search, page {len(pages)}, broke off"):
            list(found)
        assert not found.has_ended


def test_hosts_that_it_was_referred_to_are_kept_once() -> None:
    """By name, whatever the rest of the URL; an odd one as it stands."""
    urls = ["ldap://DC2.example.com/dc=x??sub", "ldap://dc2.example.com:389/", "ldap://[::1/", "dc3"]
    found, _ = listing(page(0, 1, b"one", referrals=urls), page(1, 2, b"", referrals=["ldaps://dc4/"]))
    list(found)
    assert found.referrals == ("dc2.example.com", "ldap://[::1/", "dc3", "dc4")


def test_nothing_is_asked_before_the_first_entry_is_wanted() -> None:
    """And no page before the one before it was used up."""
    found, wire = listing(page(0, 3, b"one"), page(3, 4, b""))
    assert wire.asked == []
    entries = iter(found)
    for _ in range(3):
        next(entries)
    assert (len(wire.asked), found.entries, found.has_ended) == (1, 3, False)
    assert next(entries) == ENTRIES[3]
    assert next(entries, None) is None
    assert (len(wire.asked), found.entries, found.has_ended) == (2, 4, True)
