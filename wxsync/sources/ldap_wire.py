"""The line to one directory server: one connection, raw entries, and every result told as the server gave it.

The only module that knows `ldap3`. Of that library neither its paged search (it ends silently at a size
limit), nor its restartable strategy (a stale cookie looks like the end), nor its following of referrals
(it would send the password to whatever host the server names) is used.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from ldap3 import ANONYMOUS, BASE, DEREF_NEVER, NONE, SIMPLE, SUBTREE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPExceptionError
from ldap3.operation.search import search_operation

from wxsync.sources.ldap_entry import Entry

PAGING: Final = "1.2.840.113556.1.4.319"
"""The simple paged results control (RFC 2696)."""
WHO_AM_I: Final = "1.3.6.1.4.1.4203.1.11.3"
"""RFC 4532."""
SYNC_REQUEST: Final = "1.3.6.1.4.1.4203.1.9.1.1"
SYNC_INFO: Final = "1.3.6.1.4.1.4203.1.9.1.4"
"""The control that asks what has changed, and the messages that answer beside entries (RFC 4533)."""
SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
"""Has Active Directory show what it keeps of deleted entries ([MS-ADTS] 3.1.1.3.4.1.14)."""
ACTIVE_DIRECTORY: Final = b"1.2.840.113556.1.4.800"
"""The capability by which it is known ([MS-ADTS] 3.1.1.3.4.3.1)."""
NO_ATTRIBUTES: Final = ("1.1",)
"""Asks for DNs alone (RFC 4511, 4.5.1.8)."""
ANY: Final = "(objectClass=*)"

ENTRY: Final = 4
"""The application tag of a SearchResultEntry (RFC 4511, 4.5.2)."""
VALUE: Final = 3
"""Where ldap3 keeps the content of what it decoded, behind class, form and tag."""

BREAKS: Final = (LDAPExceptionError, OSError, ValueError, LookupError, TypeError, RecursionError)
"""What ldap3 raises where the line breaks, or where what comes over it is no LDAP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the server ended an operation (RFC 4511, 4.1.9)."""

    code: int
    name: str
    """The code's name, such as "sizeLimitExceeded"."""
    message: str
    """The server's own words: to be shown with care, they may name entries."""
    matched: str = ""
    """Where there is no such entry, the DN of the nearest one above that the server admits to have."""
    referrals: tuple[str, ...] = ()
    """Of a referral, the URLs of the servers that have what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one search request gave."""

    entries: tuple[Entry, ...]
    referrals: tuple[str, ...]
    """URLs of other servers that hold a part of what was asked for."""
    result: Result
    cookie: bytes | None
    """The paging control's: empty on the last page; None where the answer had no such control."""
    notices: tuple[bytes, ...] = ()
    """Of an answer to a sync request the Sync Info Messages (RFC 4533 §2.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is, and how it is spoken to."""

    host: str
    """The name that its certificate must bear."""
    ip: str
    port: int
    is_ldaps: bool
    start_tls: bool
    tls: ssl.SSLContext
    connect_timeout: int
    receive_timeout: int


def addresses(url: str, **manner: Any) -> list[Address]:
    """Every address that the URL's host has, in the system's order; raises OSError where it has none.

    ldap3 would try the first alone. `manner` are the other fields of an Address.
    """
    parts = urlsplit(url)
    host, is_ldaps = parts.hostname or "", parts.scheme == "ldaps"
    port = parts.port or (636 if is_ldaps else 389)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ips = dict.fromkeys(str(where[0]) for *_, where in found)
    return [Address(host=host, ip=ip, port=port, is_ldaps=is_ldaps, **manner) for ip in ips]


class _Checked(Tls):
    """TLS by Python's own context, which checks the host's name.

    ldap3's check knows no IP addresses from Python 3.12 on, and shows the whole certificate on failure.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._address = address

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._address.tls.wrap_socket(
            connection.socket, server_hostname=self._address.host, do_handshake_on_connect=do_handshake
        )


@contextmanager
def connect(address: Address) -> Iterator[Wire]:
    """A line to the server, encrypted where the address says so; nobody is bound. Raises one of BREAKS."""
    server = Server(
        address.ip,
        port=address.port,
        use_ssl=address.is_ldaps,
        tls=_Checked(address),
        get_info=NONE,
        connect_timeout=address.connect_timeout,
    )
    connection = Connection(
        server,
        client_strategy=SYNC,
        auto_referrals=False,
        auto_range=False,
        return_empty_attributes=False,  # with auto_range off, ldap3 fails over ranged values without this
        check_names=False,
        read_only=True,
        receive_timeout=address.receive_timeout,
    )
    _keep_entries_raw(connection.strategy)
    try:
        connection.open(read_server_info=False)
        if address.start_tls and not address.is_ldaps and not connection.start_tls(read_server_info=False):
            raise OSError("the server does not start TLS")
        yield Wire(connection)
    finally:
        with suppress(*BREAKS):
            connection.unbind()
        with suppress(OSError):
            if connection.socket is not None:  # which ldap3 leaves open where it could not connect
                connection.socket.close()


class Wire:
    """One connection. Every method raises one of BREAKS where it breaks; it is never opened anew."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def bind(self, user: str | None, password: str) -> Result:
        """A simple bind, or an anonymous one where there is no user; an empty password is refused here."""
        if user is not None and not password:
            # RFC 4513, 5.1.2: the server would take it for an anonymous bind and call it a success.
            raise ValueError("a name without a password binds nobody")
        self._connection.authentication = ANONYMOUS if user is None else SIMPLE
        self._connection.user, self._connection.password = user, password
        self._connection.bind(read_server_info=False)
        return _result(self._connection.result)

    def who_am_i(self) -> tuple[Result, str]:
        """As whom the server lets us read, in its own words: empty is anonymous."""
        self._connection.extended(WHO_AM_I)
        answer = self._connection.result
        return _result(answer), bytes(answer.get("responseValue") or b"").decode("utf-8", "replace")

    def read(
        self, dn: str, attributes: Sequence[str], filter_: str = ANY, *, deleted_too: bool = False
    ) -> Page:
        """One entry by its DN; the empty DN is the server's own."""
        return self._search(dn, filter_, BASE, attributes, controls=_showing(deleted_too))

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
        """One page of a listing below `base`; the first has an empty cookie."""
        return self._search(
            base,
            filter_,
            SUBTREE,
            attributes,
            controls=_showing(deleted_too),
            paged_size=size,
            paged_cookie=cookie or None,
            paged_criticality=True,
        )

    def sync(self, base: str, attributes: Sequence[str], request: bytes, *, most: int) -> Page:
        """What a sync request finds below `base`, `most` entries of it; paging and it do not go together."""
        control = (SYNC_REQUEST, True, request)
        return self._search(base, ANY, SUBTREE, attributes, controls=[control], size_limit=most)

    def _search(
        self,
        base: str,
        filter_: str,
        scope: Literal["BASE", "SUBTREE"],
        attributes: Sequence[str],
        **more: Any,
    ) -> Page:
        self._connection.search(
            base, filter_, scope, dereference_aliases=DEREF_NEVER, attributes=list(attributes), **more
        )
        result, response = self._connection.result, self._connection.response or ()
        self._connection.response = None
        return Page(
            entries=tuple(each["entry"] for each in response if each["type"] == "searchResEntry"),
            referrals=tuple(
                uri for each in response if each["type"] == "searchResRef" for uri in each["uri"] or ()
            ),
            result=_result(result),
            cookie=_cookie(result),
            notices=tuple(bytes(each["responseValue"] or b"") for each in response if _is_notice(each)),
        )


def is_filter(text: str) -> bool:
    """Whether the text is a search filter (RFC 4515); which attributes it names is not looked at."""
    try:
        search_operation("", text, SUBTREE, DEREF_NEVER, None, 0, 0, False, False, True)
    except BREAKS:
        return False
    return True


def _keep_entries_raw(strategy: Any) -> None:
    """Have the strategy make Entries at once of what comes.

    ldap3 would make two copies of every value, one of them text in whatever encoding fits: half of all
    the time that a listing takes.
    """
    decode = strategy.decode_response_fast

    def decode_raw(message: Mapping[str, Any]) -> Mapping[str, Any]:
        if message["protocolOp"] != ENTRY:
            return cast("Mapping[str, Any]", decode(message))
        dn, attributes = message["payload"]
        return {"type": "searchResEntry", "entry": _entry(dn[VALUE], attributes[VALUE])}

    strategy.decode_response_fast = decode_raw


def _entry(dn: bytes, attributes: Sequence[Any]) -> Entry:
    values = {
        str(name[VALUE], "ascii", "backslashreplace").lower(): tuple(
            [bytes(each[VALUE]) for each in given[VALUE]]
        )
        for name, given in (attribute[VALUE] for attribute in attributes)
    }
    return Entry(str(dn, "utf-8", "backslashreplace"), values)


def _showing(deleted_too: bool) -> list[tuple[str, bool, None]]:
    return [(SHOW_DELETED, True, None)] if deleted_too else []


def _is_notice(response: Mapping[str, Any]) -> bool:
    return bool(response["type"] == "intermediateResponse" and response["responseName"] == SYNC_INFO)


def _result(answer: Mapping[str, Any]) -> Result:
    message = " ".join(str(answer.get("message") or "").split())
    return Result(
        code=int(answer["result"]),
        name=str(answer["description"]),
        message=message,
        matched=str(answer.get("dn") or ""),
        referrals=tuple(answer.get("referrals") or ()),
    )


def _cookie(answer: Mapping[str, Any]) -> bytes | None:
    control = (answer.get("controls") or {}).get(PAGING)
    return None if control is None else bytes(control["value"]["cookie"] or b"")
