"""What may come instead of a documented answer: made by hypothesis out of that answer, or out of nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
from hypothesis import strategies as st

Body = tuple[Any, bool] | str
"""JSON, and whether it is written in ASCII; or a key of `NO_JSON`."""
Reply = tuple[int, str, Body]
"""HTTP status, a key of `HEADERS`, and the body: short in print, however long on the line."""

RAW = {
    "@integer@": "9" * 5000,
    "@exponent@": "1e999",
    "@minus@": "-1e-999",
    "@nan@": "NaN",
    "@infinity@": "-Infinity",
    "@half@": r'"\ud800"',
    "@pair@": r'"\ud83d\ude00"',
    "@reversed@": r'"\udc00\ud800"',
    "@nul@": r'"a\u0000b"',
    "@long@": '"' + "1" * 70_000 + '"',
    "@deep@": "[" * 400 + "]" * 400,
    "@too deep@": "[" * 3000 + "]" * 3000,
}
"""JSON that Python's own writer would not write, by the text that stands for it."""
NUMBERS: list[Any] = [0, 1, -1, 2, 3, 4, 255, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**400]
FLOATS: list[Any] = [0.0, 0.5, 1.0, 3.0, -0.0, 1e308]
TEXTS: list[Any] = ["", " ", "0", "1", "-1", "ok", "302005", "40014", "１２", "|", "a|b|", "@all", "a" * 300]
FORMS: list[Any] = [
    "工" * 200,
    "\ud800",
    "https://wecom.test/cgi-bin/file",
    "http://elsewhere.test/",
    "file:///etc/passwd",
    "192.0.2.1",
    "999.1.1.1",
    "::",
    "1780000000",
    "99999999999999999999",
    "2026-01-01",
    "13800000001",
]
HOLDERS: list[Any] = [[], {}, [[]], [{}], [None], [0], [""], {"": None}, {"a": {"b": {"c": []}}}]
ODD = st.sampled_from([None, True, False, *NUMBERS, *FLOATS, *TEXTS, *FORMS, *HOLDERS, *RAW]).map(
    copy.deepcopy
)
KIN: dict[type, list[Any]] = {
    str: [*TEXTS, *FORMS, "@half@", "@pair@", "@reversed@", "@nul@", "@long@"],
    int: [*NUMBERS, "@integer@", "@exponent@"],
    list: HOLDERS[:7],
    dict: [{}, {"": None}, {"a": {"b": {"c": []}}}],
}
"""What is of the right type, and still not what anybody expects."""
ANYTHING = st.recursive(
    ODD | st.text(max_size=8) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KNOWN = [-1, 6000, 40001, 40003, 40014, 40029, 40031, 40070, 40088, 42001, 45009, 45026, 45033, 46004, 50100]
CODES: list[Any] = [*KNOWN, 60020, 60111, 60102, 84061, 86215, 302005, 10**9, 10**30]
SHAPES: list[Any] = [0, "0", 0.0, 0.5, False, True, None, "-1", "42001", "302005", "1" * 30, "x", "٣", [], {}]
ERRCODES = st.sampled_from([*SHAPES, *CODES]).map(copy.deepcopy)
NO_JSON = {
    "nothing": b"",
    "no UTF-8": b"\xff\xfe",
    "a BOM": b"\xef\xbb\xbf{}",
    "null": b"null",
    "a number": b"0",
    "a text": b'"text"',
    "a list": b"[]",
    "a beginning": b'{"errcode":0',
    "single quotes": b"{'errcode':0}",
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "HTML in GBK": "<html>错误</html>".encode("gbk"),
    "lists without end": b"[" * 100_000,
    "records without end": b'{"errcode":' * 5000,
    "deep in a record": b'{"errcode":0,"errmsg":' + b"[" * 900 + b"]" * 900 + b"}",
    "two": b'{"errcode":0,"errmsg":"ok"}{"errcode":0}',
    "bytes": bytes(range(256)),
    "UTF-16": json.dumps({"errcode": 0, "errmsg": "ok"}).encode("utf-16"),
}
HEADERS: dict[str, dict[str, str]] = {
    "none": {},
    "HTML": {"Content-Type": "text/html; charset=gbk"},
    "no charset": {"Content-Type": "application/json; charset=nonsense"},
    "gzip": {"Content-Encoding": "gzip"},
    "two encodings": {"Content-Encoding": "br, deflate"},
    "elsewhere": {"Location": "https://elsewhere.test/"},
    "short": {"Content-Length": "3"},
    "cookie": {"Set-Cookie": "a=b; Domain=.test"},
}
STATUSES = [200] * 16 + [204, 206, 301, 302, 400, 401, 403, 404, 407, 429, 500, 502, 503, 504, 599]


@st.composite
def spoilt(draw: st.DrawFn, answer: dict[str, Any]) -> Body:
    """A documented answer, in which one to three values are gone, of another type, or somewhere else."""
    whole: Any = {"errcode": 0, "errmsg": "ok", **copy.deepcopy(answer)}
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(whole))
        if not places:
            break
        # The envelope's two come first: mostly it is the rest that is looked at.
        holder, key = draw(st.sampled_from(places[:2] + places[2:] * 4))
        match draw(
            st.sampled_from(["odd", "odd", "kin", "kin", "anything", "drop", "swap", "again", "wrap"])
        ):
            case "odd":
                holder[key] = draw(ERRCODES if key == "errcode" else ODD)
            case "kin" if type(holder[key]) in KIN:
                holder[key] = copy.deepcopy(draw(st.sampled_from(KIN[type(holder[key])])))
            case "anything":
                holder[key] = draw(ANYTHING)
            case "drop":
                del holder[key]
            case "swap":
                other, name = draw(st.sampled_from(places))
                holder[key] = copy.deepcopy(other[name])
            case "again" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case _:
                holder[key] = draw(st.sampled_from([[holder[key]], {"value": holder[key]}]))
    return whole, draw(st.booleans())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) in a piece of JSON, those of the outside first."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        yield value, key
    for key in keys:
        yield from _places(value[key])


def written(value: Any, *, is_ascii: bool = False) -> bytes:
    """JSON, with what `RAW` has in the place of its names."""
    text = json.dumps(value, ensure_ascii=is_ascii)
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text.encode("utf-8", "surrogatepass")


def replies(answer: dict[str, Any]) -> st.SearchStrategy[Reply]:
    """Everything that may come where `answer` is documented."""
    anything = st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4) | ANYTHING
    errors = st.fixed_dictionaries({"errcode": ERRCODES, "errmsg": ANYTHING})
    made_up = st.tuples(anything | errors, st.booleans())
    spoils = spoilt(answer)
    body = st.one_of(spoils, spoils, spoils, spoils, made_up, made_up, st.sampled_from(list(NO_JSON)))
    headers = st.sampled_from([*HEADERS, *["none"] * 16])
    return st.tuples(st.sampled_from(STATUSES), headers, body)


def to_response(reply: Reply) -> httpx.Response:
    status, headers, body = reply
    content = NO_JSON[body] if isinstance(body, str) else written(body[0], is_ascii=body[1])
    made = httpx.Response(status, content=content)
    made.headers = httpx.Headers(HEADERS[headers])
    return made
