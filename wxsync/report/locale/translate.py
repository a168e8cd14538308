"""A `Message` in the language of its reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum

from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.message import Message
from wxsync.report.locale.catalogue import looked_up
from wxsync.report.locale.names import field_name, name_of


def translate(message: Message | str, language: str) -> str:
    """The text of `message`: its translation, or the English template where there is none.

    Facts that are messages are translated too. Outside English a fact called `field` or `fields`
    holds codes of fields, and they, kinds, verbs and reasons get their names.
    """
    if isinstance(message, str):
        return looked_up(message, language)
    facts = {name: _fact(name, value, language) for name, value in message.facts.items()}
    return looked_up(message.template, language).format(**facts)


def joined(texts: Iterable[str], language: str) -> str:
    """A list as prose has it: 甲、乙 in Chinese, "a, b" in English."""
    return ("、" if language == "zh" else ", ").join(texts)


def _fact(name: str, value: object, language: str) -> object:
    if isinstance(value, Message):
        return translate(value, language)
    if isinstance(value, (tuple, list)):
        return joined((str(_fact(name, each, language)) for each in value), language)
    if isinstance(value, (set, frozenset)):
        return joined(sorted(str(_fact(name, each, language)) for each in value), language)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if language == "en":
        return value.value if isinstance(value, Enum) else value
    return _named(name, value, language)


def _named(name: str, value: object, language: str) -> object:
    match value:
        case Kind():
            return name_of("kind", value, language)
        case Verb():
            return name_of("verb", value, language)
        case Reason():
            return name_of("reason", value, language)
        case str() if name in ("field", "fields"):
            return joined((field_name(each, language) for each in value.split(", ")), language)
        case _:
            return value
