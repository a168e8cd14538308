"""The few bytes of RFC 4533 that are written and read by hand."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.sources.ldap_sync import cookie_of, deleted_ids, refresh_request

FIRST, SECOND = UUID(int=1), UUID(int=2)


def element(tag: int, content: bytes) -> bytes:
    """BER, its length in four bytes."""
    return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content


def id_set(*parts: bytes) -> bytes:
    return element(0xA3, b"".join(parts))


def uuids(*given: UUID) -> bytes:
    return element(0x31, b"".join(element(0x04, each.bytes) for each in given))


COOKIE = element(0x04, b"rid=000,csn=x")
YES, NO = element(0x01, b"\xff"), element(0x01, b"\x00")


def test_the_request_is_a_sequence_of_mode_and_cookie() -> None:
    """Mode 1 is refreshOnly; a long cookie has its length in more than one byte."""
    assert refresh_request(b"abc") == bytes.fromhex("3008 0a0101 0403") + b"abc"
    long = refresh_request(b"x" * 300)
    assert long == bytes.fromhex("30820133 0a0101 0482012c") + b"x" * 300
    between = refresh_request(b"x" * 130)
    assert between == bytes.fromhex("308188 0a0101 048182") + b"x" * 130


def test_the_cookie_names_every_server() -> None:
    """As OpenLDAP's own consumers write it."""
    assert cookie_of(["a#000", "b#001"]) == b"rid=000,csn=a#000;b#001"


def test_a_set_of_deleted_entries_is_read() -> None:
    """With a cookie in front and without."""
    notices = [id_set(COOKIE, YES, uuids(FIRST)), id_set(YES, uuids(SECOND))]
    assert list(deleted_ids(notices)) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "notice",
    [
        pytest.param(id_set(uuids(FIRST)), id="who is still there"),
        pytest.param(id_set(NO, uuids(FIRST)), id="who is still there, said aloud"),
        pytest.param(id_set(COOKIE, YES), id="nobody"),
        pytest.param(element(0xA1, COOKIE), id="the end of a phase"),
        pytest.param(element(0x80, b"rid=000"), id="a new cookie"),
        pytest.param(id_set(YES, uuids(FIRST))[:-1], id="cut"),
        pytest.param(id_set(YES, element(0x31, element(0x04, b"short"))), id="no UUID"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_names_nobody_who_is_gone_gives_nobody(notice: bytes) -> None:
    """Taking those who are still there for those who are gone would be the worst mistake of all."""
    assert list(deleted_ids([notice])) == []


@given(st.binary())
def test_no_bytes_stop_it(notice: bytes) -> None:
    """Whatever a server sends, it is read or left out."""
    list(deleted_ids([notice, id_set(YES, uuids(FIRST))]))
