"""What the bytes of attributes become, and which bytes become nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.config.expressions import UnreadableValue
from wxsync.sources.ldap_schema import Kind, Schema
from wxsync.sources.ldap_values import decode

FIRST = datetime(1601, 1, 1, tzinfo=UTC)
MOMENT = datetime(2026, 1, 31, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        (Kind.TEXT, "林梅".encode(), "林梅"),
        (Kind.TEXT, b"", ""),
        (Kind.TEXT, b"TRUE", "TRUE"),
        (Kind.TEXT, b"0123", "0123"),
        (Kind.BOOLEAN, b"TRUE", True),
        (Kind.BOOLEAN, b"False", False),
        (Kind.INTEGER, b"-2147483646", -2147483646),
        (Kind.INTEGER, b"9223372036854775807", 2**63 - 1),
        (Kind.DN, b"CN=Lin\\2C Mei,DC=x", "cn=lin\\, mei,dc=x"),
        (Kind.DN, b"cn=a,dc=x#'0101'B", "cn=a,dc=x"),
        (Kind.DN, b"", ""),
        (Kind.TIME, b"20260131083015Z", MOMENT),
        (Kind.TIME, b"20260131083015.0Z", MOMENT),
        (Kind.TIME, b"20260131083015.25Z", MOMENT + timedelta(microseconds=250_000)),
        (Kind.TIME, b"20260131163015,5+0800", MOMENT + timedelta(microseconds=500_000)),
        (Kind.TIME, b"202601310800.5-0030", MOMENT.replace(second=30)),
        (Kind.TIME, b"2026013108.5Z", MOMENT.replace(second=0)),
        (Kind.TIME, b"2026013110+02", MOMENT.replace(minute=0, second=0)),
        (Kind.TIME, b"20260131082960Z", MOMENT.replace(minute=29, second=59)),
        (Kind.TIME, b"000001010000Z", datetime.min.replace(tzinfo=UTC)),
        (Kind.TIME, b"99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (Kind.UTC_TIME, b"260131083015Z", MOMENT),
        (Kind.UTC_TIME, b"9901311630+0800", datetime(1999, 1, 31, 8, 30, tzinfo=UTC)),
        (Kind.FILETIME, b"0", None),
        (Kind.FILETIME, b"9223372036854775807", None),
        (Kind.FILETIME, b"3000000000000000000", None),
        (Kind.FILETIME, b"134143218150000000", MOMENT),
        (Kind.FILETIME, b"1", datetime(1601, 1, 1, tzinfo=UTC)),
        (Kind.GUID, bytes(range(16)), "03020100-0504-0706-0809-0a0b0c0d0e0f"),
        (
            Kind.SID,
            bytes.fromhex("010500000000000515000000 0a000000 14000000 1e000000 f4010000"),
            "S-1-5-21-10-20-30-500",
        ),
        (Kind.SID, bytes.fromhex("0101000000000005 12000000"), "S-1-5-18"),
        (Kind.BINARY, b"\xff\x00", b"\xff\x00"),
    ],
)
def test_what_values_become(kind: Kind, value: bytes, meant: object) -> None:
    """Text stays text whatever it looks like; typed values become what their type says."""
    assert decode(kind, value) == meant


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, b"Lin\0Mei"),
        (Kind.TEXT, b"\xb2\xce"),
        (Kind.TEXT, b"\xed\xa0\x80"),
        (Kind.DN, b"no name"),
        (Kind.DN, b"cn=a\0,dc=x"),
        (Kind.DN, b"\xff"),
        (Kind.BOOLEAN, b"yes"),
        (Kind.INTEGER, b"1.5"),
        (Kind.INTEGER, b"0x2"),
        (Kind.INTEGER, b"9" * 1_000_000),
        (Kind.INTEGER, "５".encode()),
        (Kind.TIME, b"20260131083015"),
        (Kind.TIME, b"20260231083015Z"),
        (Kind.TIME, b"20260131250000Z"),
        (Kind.TIME, b"2026-01-31T08:30:15Z"),
        (Kind.TIME, b"00010101000000+0800"),
        (Kind.TIME, b"9" * 1_000_000),
        (Kind.UTC_TIME, b"2026013108Z"),
        (Kind.FILETIME, b"-1"),
        (Kind.FILETIME, b"never"),
        (Kind.GUID, b"short"),
        (Kind.GUID, str(UUID(int=1)).encode()),
        (Kind.SID, b"\x01\x05\x00"),
        (Kind.SID, bytes.fromhex("0102000000000005 12000000")),
    ],
)
def test_what_cannot_be_read(kind: Kind, value: bytes) -> None:
    """Bytes that are not what they should be are refused, and the message shows none of them."""
    with pytest.raises(UnreadableValue) as caught:
        decode(kind, value)
    assert len(str(caught.value)) < 60
    assert not set(str(caught.value)) & set("0123456789") - {"1", "6", "0", "8"}


@given(value=st.binary(max_size=40), kind=st.sampled_from(list(Kind)))
def test_no_bytes_break_it(value: bytes, kind: Kind) -> None:
    """Any bytes become a value or an UnreadableValue."""
    try:
        decode(kind, value)
    except UnreadableValue:
        return


@given(st.integers(1, (datetime.max.replace(tzinfo=UTC) - FIRST) // timedelta(microseconds=1)))
def test_every_moment_of_a_file_time(microseconds: int) -> None:
    """What Active Directory counts from a moment is that moment again, until the end of the calendar."""
    moment = FIRST + timedelta(microseconds=microseconds)
    assert decode(Kind.FILETIME, str(microseconds * 10).encode()) == moment


DEFINITIONS = [
    "( 2.5.4.41 NAME 'name' DESC 'a NAME ''x'' SYNTAX 1.1' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
    "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519' SUP name )",
    "( 2.5.4.49 NAME 'distinguishedName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )",
    "( 2.5.4.31 NAME 'member' DESC 'RFC2256: member of a group' SUP distinguishedName )",
    "( 2.5.4.50 NAME 'uniqueMember' SYNTAX 1.3.6.1.4.1.1466.115.121.1.34 )",
    "( 2.5.18.1 NAME 'createTimestamp' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )",
    "( 1.1.1 NAME 'loop' SUP loop )",
    "( 1.2.840.113556.1.4.159 NAME 'accountExpires' SYNTAX '1.2.840.113556.1.4.906' SINGLE-VALUE )",
    "( 1.2.840.113556.1.4.120 NAME 'uSNChanged' SYNTAX '1.2.840.113556.1.4.906' SINGLE-VALUE )",
    "( 1.2.840.113556.1.2.48 NAME 'isDeleted' SYNTAX '1.3.6.1.4.1.1466.115.121.1.7' SINGLE-VALUE )",
    "( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX '1.3.6.1.4.1.1466.115.121.1.40' )",
    "( 1.2.840.113556.1.4.146 NAME 'objectSid' SYNTAX '1.3.6.1.4.1.1466.115.121.1.40' )",
    "( 1.2.3 )",
]


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ("cn", Kind.TEXT),
        ("commonname", Kind.TEXT),
        ("MEMBER", Kind.DN),
        ("uniqueMember", Kind.DN),
        ("createTimestamp", Kind.TIME),
        ("loop", Kind.TEXT),
        ("accountExpires", Kind.FILETIME),
        ("uSNChanged", Kind.INTEGER),
        ("isDeleted", Kind.BOOLEAN),
        ("objectGUID", Kind.GUID),
        ("objectSid", Kind.SID),
        ("cn;lang-zh", Kind.TEXT),
        ("cn;binary", Kind.BINARY),
    ],
)
def test_kinds_by_the_schema(attribute: str, kind: Kind) -> None:
    """A kind is inherited from the type above, and told by name where the syntax says too little."""
    schema = Schema.of(DEFINITIONS)
    assert schema.knows(attribute)
    assert schema.kind(attribute) is kind


def test_what_the_schema_lacks() -> None:
    """An attribute that no definition names is not known; a description that looks like one is none."""
    schema = Schema.of(DEFINITIONS)
    assert not schema.knows("x")
    assert not schema.knows("employeeID")
    assert schema.names["commonname"] == "commonName"
