"""Plain values and their normal form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from wxsync.sources.normal import Breach, day_of, flag, key_of, keys_of, text_of, uint32

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "value", [1001, "1001", " 1001 ", "1001\u200b", Decimal(1001), Decimal("1001.00"), 1001.0]
)
def test_a_key_has_one_form(value: object) -> None:
    """However the driver gives it, it is the same key."""
    assert key_of(value, "key") == "1001"


def test_keys_are_kept_apart() -> None:
    """Leading zeros, case and fractions are part of a key."""
    values = ("01001", "1001", "a1", "A1", Decimal("1.5"), UUID(int=1), date(2026, 1, 31))
    assert [key_of(value, "key") for value in values] == [
        "01001",
        "1001",
        "a1",
        "A1",
        "1.5",
        "00000000-0000-0000-0000-000000000001",
        "2026-01-31",
    ]


@pytest.mark.parametrize("value", [None, "", "  ", "\u200b"])
def test_an_empty_key_is_none(value: object) -> None:
    """Nothing but blanks is no key."""
    assert key_of(value, "key") is None


@pytest.mark.parametrize("value", [True, b"1001", float("nan"), float("inf"), {"a": 1}, ["1"]])
def test_what_is_no_text_is_no_key(value: object) -> None:
    """A boolean, bytes, a list or not-a-number break rule "type"."""
    with pytest.raises(Breach) as caught:
        key_of(value, "key")
    assert caught.value.rule == "type"


def test_a_key_must_fit_the_mirror() -> None:
    """More than 255 characters break rule "length"."""
    assert key_of("x" * 255, "key") == "x" * 255
    with pytest.raises(Breach) as caught:
        key_of("x" * 256, "key")
    assert caught.value.rule == "length"


def test_a_text_is_one_key_and_a_list_is_several() -> None:
    """A text is never split; gaps of a list keep their places."""
    assert keys_of("D1,D2", "departments") == ("D1,D2",)
    assert keys_of(["D1", None, 2], "departments") == ("D1", None, "2")
    assert keys_of(None, "departments") == (None,)


def test_whole_numbers_are_texts_without_a_fraction() -> None:
    """A phone number in a numeric column keeps its digits."""
    assert text_of(13800000001, "mobile") == "13800000001"
    assert text_of(13800000001.0, "mobile") == "13800000001"
    assert text_of(Decimal(13800000001), "mobile") == "13800000001"


def test_flags_are_booleans_or_the_numbers_0_and_1() -> None:
    """Whatever else there is breaks rule "type", texts too: "0" would be true in many a language."""
    assert [flag(value, "active") for value in (True, False, 1, 0, 1.0, Decimal(0), None)] == [
        True,
        False,
        True,
        False,
        True,
        False,
        None,
    ]
    faulty: list[object] = ["1", "true", "", 2, -1, 0.5, [], b"1"]
    for value in faulty:
        with pytest.raises(Breach) as caught:
            flag(value, "active")
        assert caught.value.rule == "type"


def test_orders_are_uint32() -> None:
    """Whole numbers of 32 bits, digits as text too; all else breaks rule "number"."""
    values = (0, "7", " 7 ", 4294967295, Decimal("3.0"), 2.0, None, "")
    assert [uint32(value, "order") for value in values] == [0, 7, 7, 4294967295, 3, 2, None, None]
    faulty: list[object] = [-1, 4294967296, 1.5, "x", "-1", True, "9" * 5000, float("nan"), []]
    for value in faulty:
        with pytest.raises(Breach) as caught:
            uint32(value, "order")
        assert caught.value.rule == "number"


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31", date(2026, 1, 31)),
        (" 2026-01-31 ", date(2026, 1, 31)),
        ("2026-01-31 18:00:00", date(2026, 1, 31)),
        ("2026-01-31T18:00:00Z", date(2026, 2, 1)),
        (datetime.fromisoformat("2026-01-31T23:59"), date(2026, 1, 31)),
        (datetime(2026, 1, 31, 16, 0, tzinfo=UTC), date(2026, 2, 1)),
        (datetime(2026, 1, 31, 15, 59, tzinfo=UTC), date(2026, 1, 31)),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), date(9999, 12, 31)),
        (None, None),
        ("", None),
    ],
)
def test_days_are_those_of_the_zone(value: object, day: date | None) -> None:
    """A moment with a zone falls on a day of the sync's zone; one without is local already."""
    assert day_of(value, SHANGHAI, "ends") == day


@pytest.mark.parametrize("value", ["31.01.2026", "0000-00-00", "soon", 20260131, True, 1.5])
def test_what_is_no_date_breaks_rule_date(value: object) -> None:
    """Nothing is guessed: not the order of day and month, not a number."""
    with pytest.raises(Breach) as caught:
        day_of(value, SHANGHAI, "ends")
    assert caught.value.rule == "date"
