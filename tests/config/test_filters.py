"""The filters that expressions have beside Jinja's own."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.config import filters
from wxsync.config.expressions import Expression
from wxsync.config.filters import FilterFailed
from wxsync.config.pinyin import SURNAMES, romanise


@pytest.mark.parametrize(
    ("value", "region", "number"),
    [
        ("13800000000", "CN", "+8613800000000"),
        (" 138-0000-0000 ", "CN", "+8613800000000"),
        ("+86 138 0000 0000", "US", "+8613800000000"),
        (13800000000, "CN", "+8613800000000"),
        ("0086 13800000000", "CN", "+8613800000000"),
        ("010-62345678", "CN", "+861062345678"),
        ("+852 9123 4567", "CN", "+85291234567"),
        ("9123 4567", "HK", "+85291234567"),
        ("１３８００００００００", "CN", "+8613800000000"),
        ("", "CN", ""),
        ("  ", "CN", ""),
    ],
)
def test_e164(value: object, region: str, number: str) -> None:
    """A number becomes +countrycode and digits; one without country code is of the region."""
    assert filters.to_e164(value, region) == number


@pytest.mark.parametrize("value", ["12", "abc", "138000000000", "13800000000.0", "+999 1"])
def test_e164_refuses_what_is_no_number(value: str) -> None:
    """What cannot be a phone number fails, without being shown."""
    with pytest.raises(FilterFailed) as caught:
        filters.to_e164(value, "CN")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("林梅", "linmei"),
        ("曾国", "zengguo"),
        ("单雄", "shanxiong"),
        ("仇英", "qiuying"),
        ("区静", "oujing"),
        ("查良", "zhaliang"),
        ("解明", "xieming"),
        ("任华", "renhua"),
        ("华东", "huadong"),
        ("朴海", "piaohai"),
        ("尉迟恭", "yuchigong"),
        ("吕布", "lvbu"),
        ("欧阳锋", "ouyangfeng"),
        ("单于丹", "chanyudan"),
        ("盖聂", "genie"),
        ("翟明", "zhaiming"),
        ("Lin Mei", "linmei"),
        ("José", "jose"),
        ("王 小明", "wangxiaoming"),
        ("ＬＩ明2", "liming2"),
        ("阿·木", "amu"),
        ("", ""),
        ("🙂", ""),
    ],
)
def test_pinyin(name: str, pinyin: str) -> None:
    """A name becomes lower-case ASCII in one piece; a surname is read as a surname."""
    assert filters.to_pinyin(name) == pinyin


@given(st.text())
def test_pinyin_is_ascii_whatever_comes(text: str) -> None:
    """The outcome fits a userid: lower-case letters, digits and . _ - alone."""
    assert re.fullmatch(r"[a-z0-9._-]*", romanise(text))


def test_surname_readings_are_plain_syllables() -> None:
    """Every reading in the table is lower-case ASCII, every surname one or two characters."""
    assert all(re.fullmatch("[a-z]+", reading) for reading in SURNAMES.values())
    assert {len(surname) for surname in SURNAMES} == {1, 2}


def test_pinyin_is_loaded_only_when_it_is_used() -> None:
    """Reading a config does not pay for pypinyin's dictionaries."""
    code = "import sys, wxsync.config.loader; print('pypinyin' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        (" 2026-01-31 ", date(2026, 1, 31)),
        ("20260131", date(2026, 1, 31)),
        (20260131, date(2026, 1, 31)),
        ("2026-01-31 23:59:59", date(2026, 1, 31)),
        ("2026-01-31T23:59:59.123Z", date(2026, 1, 31)),
        (date(2026, 1, 31), date(2026, 1, 31)),
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), date(2026, 1, 31)),
        (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=8))), date(2026, 1, 31)),
        ("", None),
    ],
)
def test_date(value: object, day: date | None) -> None:
    """A date, a date-time or ISO text gives its own calendar day; empty text gives null."""
    found = filters.to_date(value)
    assert found == day
    assert type(found) is type(day)


@pytest.mark.parametrize("value", ["31.01.2026", "2026-02-30", "soon", 1700000000])
def test_date_refuses_other_texts(value: object) -> None:
    """What is no ISO date fails, without being shown."""
    with pytest.raises(FilterFailed) as caught:
        filters.to_date(value)
    assert str(value) not in str(caught.value)


OBJECT_GUID = bytes.fromhex("33221100554477668899aabbccddeeff")


@pytest.mark.parametrize(
    "value",
    [
        OBJECT_GUID,
        bytearray(OBJECT_GUID),
        memoryview(OBJECT_GUID),
        "00112233-4455-6677-8899-AABBCCDDEEFF",
        "{00112233-4455-6677-8899-aabbccddeeff}",
        " 00112233-4455-6677-8899-aabbccddeeff ",
    ],
)
def test_guid(value: object) -> None:
    """Active Directory's bytes and any spelling of the text give one canonical text."""
    assert filters.to_guid(value) == "00112233-4455-6677-8899-aabbccddeeff"


@given(st.uuids())
def test_guid_agrees_in_bytes_and_text(guid: uuid.UUID) -> None:
    """The bytes of a GUID and its text are the same key."""
    assert filters.to_guid(guid.bytes_le) == filters.to_guid(str(guid).upper()) == str(guid)


@pytest.mark.parametrize("value", [b"short", "no guid", b""])
def test_guid_refuses_what_is_none(value: object) -> None:
    """Anything else fails."""
    with pytest.raises(FilterFailed, match="the value is not a GUID"):
        filters.to_guid(value)


@pytest.mark.parametrize(
    ("value", "separator", "parts"),
    [
        ("a,b", ",", ["a", "b"]),
        (" a ; b ", ";", ["a", "b"]),
        ("a", ",", ["a"]),
        ("a,,b", ",", ["a", "", "b"]),
        ("", ",", []),
        ("  ", ",", []),
        (12, ",", ["12"]),
    ],
)
def test_split(value: object, separator: str, parts: list[str]) -> None:
    """The parts are trimmed; empty text has none, so nobody gets a department without a name."""
    assert filters.split(value, separator) == parts


def test_regex_replace() -> None:
    """Every match is replaced, groups by number."""
    assert filters.regex_replace("E0042", r"^E0*(\d+)$", r"u\1") == "u42"
    assert filters.regex_replace("a-b-c", "-") == "abc"


def test_strip() -> None:
    """White space goes from both ends, the ideographic too; or what was named."""
    assert Expression("x | strip").evaluate({"x": "\u3000 a b \n"}) == "a b"
    assert Expression("x | strip('-')").evaluate({"x": "--a--"}) == "a"
