"""What a log line holds and how it looks: no secret, nobody's number or address, always one line. Pure."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path, PurePath
from typing import Any, Final

import click

import wxsync
from wxsync.errors import WxsyncError
from wxsync.wecom.answers import without_personal

FIRST: Final = ("at", "level", "event", "corp", "sync", "run")
"""The keys that every reader looks for come first, in this order."""
LONGEST: Final = 2000
"""Characters of one value. The rest helps nobody, and a datagram to the journal has its limit."""
HIDDEN: Final = "***"
SHORTEST_SECRET: Final = 4
"""A shorter one would stand in half of all words, and is no secret."""
MOST_PLACES: Final = 8

_COLOURS: Final = {"debug": "bright_black", "warning": "yellow", "error": "red", "critical": "red"}
_PACKAGE: Final = Path(wxsync.__file__).parent
_PLAIN: Final = re.compile(r"[^\s\"'=\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIGEST: Final = re.compile(r"([0-9a-f]{32,})")
_SECRET: Final = re.compile(
    r"((?:access_token|corpsecret|password|[?&](?:key|code|token|secret))=)[^&\s\"']+"
    r"|(://)[^/\s@]*@"  # a user and a password before a URL's host
    r"|\b((?:bearer|basic) +)[\w.~+/=-]{8,}",
    re.ASCII | re.IGNORECASE,
)


def told(line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line with the errors in it put into words.

    Of a fault that nobody foresaw only its kind and its place are told: its text and the frames' values may
    hold what people wrote, and whom a statement was about (SQLAlchemy quotes its parameters).
    """
    error = _error_of(line.pop("exc_info", None))
    line.pop("stack_info", None)
    if error is not None:
        line.setdefault("error", error)
    for key, value in list(line.items()):
        if isinstance(value, BaseException):
            line.update({key: _words(value), **_whereabouts(value)})
    return line


def cleaned(line: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """The line as it may be kept: values that are no numbers are texts, and nothing in them is personal."""
    return {key: _clean(value, secrets) for key, value in line.items()}


def in_order(line: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that every line has first, the others by name, without those that have no value."""
    keys = [*(key for key in FIRST if key in line), *sorted(line.keys() - set(FIRST))]
    return {key: line[key] for key in keys if line[key] is not None}


def to_json(line: Mapping[str, Any]) -> str:
    """The line as one JSON document."""
    return json.dumps(in_order(line), ensure_ascii=False)


def to_message(line: Mapping[str, Any]) -> str:
    """The event, and what is said with it as key=value."""
    rest = {key: value for key, value in in_order(line).items() if key not in ("at", "level", "event")}
    return "  ".join(filter(None, (_one_line(str(line.get("event", ""))), _pairs(rest, ""))))


def to_text(line: Mapping[str, Any], *, with_colours: bool) -> str:
    """The line for a terminal."""
    level = str(line.get("level", ""))
    rest = {key: value for key, value in in_order(line).items() if key not in ("at", "level", "event")}
    colour = _COLOURS.get(level) if with_colours else None
    event = click.style(_one_line(str(line.get("event", ""))), bold=True) if with_colours else None
    parts = (
        str(line.get("at", "")),
        click.style(f"{level:7}", fg=colour) if colour else f"{level:7}",
        event or _one_line(str(line.get("event", ""))),
        _pairs(rest, "cyan" if with_colours else ""),
    )
    return " ".join(filter(None, parts))


def _pairs(line: Mapping[str, Any], colour: str) -> str:
    """A value that is more than a word, or could be taken for something else, stands in quotes."""
    return " ".join(
        f"{click.style(key, fg=colour) if colour else key}={_quoted(value)}" for key, value in line.items()
    )


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if not isinstance(value, str) or _PLAIN.fullmatch(text) else _one_line(text, quoted=True)


def _one_line(text: str, *, quoted: bool = False) -> str:
    """Nothing in it moves a terminal's cursor or begins another line; Chinese stays as it is."""
    safe = "".join(each if each.isprintable() or each == "\u3000" else _escape(each) for each in text)
    return '"' + safe.replace('"', '\\"') + '"' if quoted else safe


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) < 0x20 else f"\\u{ord(character):04x}"


def _clean(value: object, secrets: Collection[str]) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        text = _without(str(value), secrets)
        return value if text == str(value) else text
    if isinstance(value, list | tuple | set | frozenset):
        return _without(", ".join(map(str, value)), secrets)
    return _without(str(value), secrets)


def _without(text: str, secrets: Collection[str]) -> str:
    """What looks like something personal is sought in the beginning only: that takes long in a long text."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    kept = _SECRET.sub(_hide, short)
    # A digest is all digits and letters, and now and then eleven of them look like a phone number.
    pieces = _DIGEST.split(kept)
    return "".join(each if n % 2 else without_personal(each) for n, each in enumerate(pieces))


def _hide(found: re.Match[str]) -> str:
    return f"{found[1] or found[2] or found[3]}{HIDDEN}" + ("@" if found[2] else "")


def _error_of(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as error, _):
            return error
        case _:
            return None


def _words(error: BaseException) -> str:
    if isinstance(error, WxsyncError):
        return error.message
    kinds: list[str] = []
    behind: BaseException | None = error
    while behind is not None and len(kinds) < MOST_PLACES:
        kinds.append(type(behind).__name__)
        behind = behind.__cause__ or behind.__context__
    return " from ".join(kinds)


def _whereabouts(error: BaseException) -> dict[str, str]:
    if isinstance(error, WxsyncError):
        return {"code": error.code, **({"hint": error.hint} if error.hint else {})}
    """Where it came through our code, and where it came from at last; libraries between have no say."""
    *way, last = traceback.extract_tb(error.__traceback__) or [None]
    if last is None:
        return {}
    frames = [*(frame for frame in way if frame and "site-packages" not in frame.filename), last]
    places = [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-MOST_PLACES:]]
    return {"at_code": "; ".join(places)}


def _place(filename: str) -> str:
    """Where in the package, or by its last two names in anybody else's: no path of the machine."""
    path = PurePath(filename)
    if path.is_relative_to(_PACKAGE):
        return str(path.relative_to(_PACKAGE))
    return "/".join(path.parts[-2:])
