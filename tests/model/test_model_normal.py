"""One form for what two sides spell differently."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.model.normal import INVISIBLE, clean, mail_address, phone_number


@given(st.text())
def test_a_clean_text_is_clean(text: str) -> None:
    """It is trimmed, in NFC, without invisible characters; cleaning it again changes nothing."""
    cleaned = clean(text)
    if cleaned is not None:
        assert cleaned == cleaned.strip()
        assert unicodedata.is_normalized("NFC", cleaned)
        assert not any(unicodedata.category(each) in INVISIBLE for each in cleaned)
        assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  林梅 ", "林梅"),
        ("\u3000林梅\u3000", "林梅"),
        ("林\u200b梅\ufeff", "林梅"),
        ("林\x00梅\n", "林梅"),
        ("Jose\u0301", "José"),
        ("𠮷野", "𠮷野"),
        ("\u200b \t", None),
        ("", None),
        ("a\ud800b", "ab"),
    ],
)
def test_texts_lose_what_nobody_sees(text: str, cleaned: str | None) -> None:
    """Control and zero-width characters go, rare characters stay, nothing left is None."""
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800000001", "13800000001"),
        ("+86 13800000001", "13800000001"),
        ("86-138-0000-0001", "13800000001"),
        ("+852 5123 4567", "+85251234567"),
        ("+85251234567", "+85251234567"),
        ("010-12345678", None),
        ("138****0001", None),
        ("1-800-FLOWERS", None),
        ("12", None),
    ],
)
def test_a_phone_number_has_one_form(text: str, number: str | None) -> None:
    """11 digits in the mainland, E.164 elsewhere; what gets no text message is none."""
    assert phone_number(text) == number
    assert number is None or phone_number(number) == number


def test_addresses_compare_in_lower_case() -> None:
    """Whoever types it, it is one address."""
    assert mail_address("Lin.Mei@Example.COM") == "lin.mei@example.com"
