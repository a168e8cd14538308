"""Whose address counts: the connection's own, or what a proxy says that the config names."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from wxsync.service.clients import client_address

TRUSTED = ("10.0.0.0/8", "::1")


def seen(peer: str | None, *forwarded: str) -> str:
    scope = {
        "type": "http",
        "client": None if peer is None else (peer, 1),
        "headers": [(b"x-forwarded-for", each.encode()) for each in forwarded],
    }
    return str(client_address(HTTPConnection(scope), TRUSTED))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("1.2.3.4",), "203.0.113.9"),
        ("10.0.0.1", ("1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("6.6.6.6, 1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6", "1.2.3.4, 10.9.9.9"), "1.2.3.4"),
        ("10.0.0.1", ("6.6.6.6, nonsense, 10.9.9.9",), "10.9.9.9"),
        ("10.0.0.1", ("1.2.3.4:4711",), "1.2.3.4"),
        ("::1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("::ffff:10.0.0.1", ("::ffff:1.2.3.4",), "1.2.3.4"),
        ("10.0.0.1", (",".join(["10.0.0.2"] * 5000),), "10.0.0.2"),
        (None, ("1.2.3.4",), "None"),
    ],
)
def test_a_proxy_is_believed_only_where_the_config_names_it(
    peer: str | None, forwarded: tuple[str, ...], client: str
) -> None:
    """From the end on, each trusted one names whom it saw; what stands before an untrusted one is made up."""
    assert seen(peer, *forwarded) == client
