from __future__ import annotations

import json

import pytest

from wxsync.errors import WeComError
from wxsync.wecom.wire.shapes import (
    LARGEST,
    errcode_of,
    number_of,
    numbers_of,
    object_of,
    rows_of,
    text_of,
    texts_of,
)


def test_a_json_object_in_utf8():
    """With a byte order mark or without; nothing but an object."""
    assert object_of('{"name": "张三"}'.encode()) == {"name": "张三"}
    assert object_of('{"name": "张三"}'.encode("utf-8-sig")) == {"name": "张三"}
    for content in (b"", b"[]", b"null", b"1", b'"a"', b"<html>", b'{"a":1', '{"a":1}'.encode("utf-16")):
        assert object_of(content) is None


def test_half_a_character_becomes_a_replacement():
    """A pair is a character; half of one could neither be sent on nor written to a file."""
    content = (
        rb'{"whole": "\ud83d\ude00", "half": "a\uD800", "two": "\udc00\ud800", "\udc00": {"x": ["\ud800"]}}'
    )
    assert object_of(content) == {
        "whole": "😀",
        "half": "a\ufffd",
        "two": "\ufffd\ufffd",
        "\ufffd": {"x": ["\ufffd"]},
    }
    assert object_of(b'{"raw": "\xed\xa0\x80"}') is None


@pytest.mark.parametrize("depth", [900, 5_000, 200_000])
def test_depth_is_no_crash(depth):
    """Python's reader recurses: what is too deep for it is no answer."""
    content = b'{"errcode":0,"x":' + b"[" * depth + b'"\\ud800"' + b"]" * depth + b"}"
    found = object_of(content)
    assert found is None or errcode_of(found) == 0
    assert depth < 1000 or found is None


def test_a_number_without_end_is_no_answer():
    """Python refuses to read 5,000 digits, and takes long for more."""
    assert object_of(b'{"errcode":' + b"9" * 5000 + b"}") is None


@pytest.mark.parametrize(
    ("value", "errcode"),
    [(0, 0), (60111, 60111), ("302005", 302005), ("0", 0), ("-1", -1), (-1, -1), (LARGEST, LARGEST)],
)
def test_an_errcode_is_a_number_or_digits(value, errcode):
    """A real log has "302005"."""
    assert errcode_of({"errcode": value}) == errcode


@pytest.mark.parametrize(
    "value", [None, True, False, 0.0, 0.5, 1e308, "", "-", "x", "0x1", "1.0", [], {}, LARGEST + 1, "9" * 5000]
)
def test_anything_else_is_no_errcode(value):
    """0.5 and False above all: taken for 0 they would be a success."""
    assert errcode_of({"errcode": value}) is None
    assert errcode_of({}) is None


@pytest.mark.parametrize("value", [None, True, "1", 1.0, [], LARGEST + 1, -LARGEST - 1])
def test_a_number_is_a_number(value):
    """Alone and in a list, and none that a database could not keep."""
    with pytest.raises(WeComError, match="id is not a number"):
        number_of({"id": value}, "id", "user/get")
    with pytest.raises(WeComError, match="ids is not a list of numbers"):
        numbers_of({"ids": [1, value]}, "ids", "user/get")


def test_lists_that_are_not_there_are_empty():
    """Where they may be left out; null is no list."""
    assert numbers_of({}, "ids", "x") == ()
    assert texts_of({}, "ids", "x") == ()
    assert numbers_of({"ids": [1, 2]}, "ids", "x") == (1, 2)
    assert texts_of({"ids": ["a", ""]}, "ids", "x") == ("a", "")
    bad: object
    for bad in (None, "a", {}, [None], [["a"]]):
        with pytest.raises(WeComError):
            texts_of({"ids": bad}, "ids", "x")
        with pytest.raises(WeComError):
            numbers_of({"ids": bad}, "ids", "x")


def test_rows_must_be_there():
    """A listing without its list is no empty listing."""
    assert rows_of({"rows": [{"a": 1}]}, "rows", "x") == [{"a": 1}]
    answer: dict
    for answer in ({}, {"rows": None}, {"rows": {}}, {"rows": [1]}, {"rows": [{}, None]}):
        with pytest.raises(WeComError, match="rows is not a list of records"):
            rows_of(answer, "rows", "x")
    with pytest.raises(WeComError, match="name is not a text"):
        text_of(json.loads('{"name": 1}'), "name", "x")
