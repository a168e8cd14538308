"""Events as XML, CDATA and bare texts mixed as in WeCom's own samples (WeCom pages 90970 to 90973)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

Value: TypeAlias = "int | str | tuple[Element, ...]"
Element: TypeAlias = "tuple[str, Value]"
"""A name with a number or `Bare` text (no CDATA), a text (CDATA), or further elements."""

Elements: TypeAlias = "tuple[Element, ...]"


class Bare(str):
    """A text that is written without CDATA."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every event begins with."""

    corp_id: str
    created_at: int
    event: str
    from_user: str = "sys"


def event_xml(header: Header, elements: Elements) -> str:
    """One event in the clear."""
    head: Elements = (
        ("ToUserName", header.corp_id),
        ("FromUserName", header.from_user),
        ("CreateTime", header.created_at),
        ("MsgType", "event"),
        ("Event", header.event),
    )
    return _written(("xml", (*head, *elements)))


def _written(element: Element) -> str:
    name, value = element
    match value:
        case tuple():
            content = "".join(_written(inner) for inner in value)
        case Bare() | int():
            content = escape(str(value))
        case _:
            content = f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return f"<{name}>{content}</{name}>"
