"""What a person may look up by WeCom's own name of a call: which there are, and a class that only reads."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from wxsync.wecom.transport import Transport

WHOLE: Final = re.compile(r"\d{1,18}", re.ASCII)

Found: TypeAlias = object
"""What a call gives: a text, a number, a frozen record of ours, or a tuple of such."""


class Secret(StrEnum):
    """The kinds of secrets that a corp has."""

    CONTACT = "contact"
    """Contact sync's (通讯录同步)."""
    APP = "app"
    """A self-built app's."""


CONTACT: Final = (Secret.CONTACT,)
APP: Final = (Secret.APP,)
EITHER: Final = (Secret.CONTACT, Secret.APP)
BETTER_BY_APP: Final = (Secret.APP, Secret.CONTACT)
"""To contact sync WeCom refuses it from most addresses (48009)."""


class Kind(StrEnum):
    """What an argument's text is read as."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call, by WeCom's own name."""

    name: str
    about: str
    kind: Kind = Kind.TEXT
    is_required: bool = True
    choices: tuple[int, ...] = ()
    """For a NUMBER: the only ones that WeCom knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The arguments of one call as somebody gave them, checked against it."""

    texts: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.texts.get(name, default)

    def number(self, name: str) -> int:
        """Of an argument that was given, or is required."""
        return int(self.texts[name])

    def number_or(self, name: str, default: int) -> int:
        return self.number(name) if name in self.texts else default

    def has(self, name: str) -> bool:
        return name in self.texts

    def day(self, name: str) -> date:
        return date.fromisoformat(self.texts[name])


Ask: TypeAlias = Callable[[Transport, Given], Awaitable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCall:
    """One call that reads."""

    path: str
    """Below /cgi-bin/, as WeCom spells it."""
    page: int
    """Of WeCom's documentation: https://developer.work.weixin.qq.com/document/path/PAGE."""
    about: str
    """One line."""
    secrets: tuple[Secret, ...]
    """Those that WeCom takes for it, the one that shows most first."""
    arguments: tuple[Argument, ...] = ()
    ask: Ask


class ArgumentError(ValueError):
    """What was given does not fit the call. No call was made."""


class Reads:
    """Looks things up in one corp with one secret. It has no way to write, and every `ReadCall` only reads.

    Where WeCom refuses it raises `WeComApiError`, where no answer comes `WeComTransportError`, and for an
    answer that is none, or a limit, `WeComError`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def ask(self, call: ReadCall, given: Given) -> Found:
        """What WeCom answers, in records of ours."""
        return await call.ask(self._transport, given)


def to_given(call: ReadCall, words: Sequence[str]) -> Given:
    """`name=value` words as arguments of `call`. Raises ArgumentError, which says what is wrong."""
    known = {argument.name: argument for argument in call.arguments}
    texts: dict[str, str] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise ArgumentError("arguments are written name=value")
        if name not in known:
            raise ArgumentError(f"{call.path} has no argument {name!r}{_those_of(call)}")
        if name in texts:
            raise ArgumentError(f"{name} is given twice")
        _check(known[name], text)
        texts[name] = text
    missing = [name for name, argument in known.items() if argument.is_required and name not in texts]
    if missing:
        raise ArgumentError(f"{call.path} wants {', '.join(f'{name}=…' for name in missing)}")
    return Given(texts=texts)


def _those_of(call: ReadCall) -> str:
    names = ", ".join(argument.name for argument in call.arguments)
    return f"; it has {names}" if names else "; it has none"


def _check(argument: Argument, text: str) -> None:
    """The value is not repeated: it may be a phone number."""
    if argument.kind is Kind.NUMBER:
        if not WHOLE.fullmatch(text):
            raise ArgumentError(f"{argument.name} is not a whole number")
        if argument.choices and int(text) not in argument.choices:
            raise ArgumentError(f"{argument.name} is one of {', '.join(map(str, argument.choices))}")
    elif argument.kind is Kind.DAY:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ArgumentError(f"{argument.name} is not a day like 2026-01-31") from None
    elif not text:
        raise ArgumentError(f"{argument.name} is empty")
