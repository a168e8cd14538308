"""The blocks that template cards are made of, and what they lead to (WeCom page 90236).

Each block checks its limits at birth and raises `UnsendableError`; what a client merely shows the beginning
of is told by `measures.overlong`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.measures import REQUIRED, Measure, check, check_distinct

KEY: Final = Measure(is_required=True, octets=1024).metadata
"""What comes back in the event of a click."""


# What a tap leads to


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A page, with http:// or https://; 2048 bytes."""

    url: str = field(metadata=Measure(is_required=True, octets=2048, is_url=True).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniProgram:
    """A mini-program that is bound to the corp's app, and a page in it."""

    appid: str = field(metadata=REQUIRED)
    pagepath: str = ""

    def __post_init__(self) -> None:
        check(self)


Link = Url | MiniProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that was uploaded; its media_id holds for three days."""

    media_id: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCard:
    """A member's own page in WeCom."""

    userid: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


# The upper part of a card


class Color(IntEnum):
    """Of the words in `Source`."""

    GREY = 0
    BLACK = 1
    RED = 2
    GREEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the card comes from: an icon and a word."""

    desc: str = field(default="", metadata=Measure(shown=20, shown_in_webhook=13).metadata)
    icon_url: str = field(default="", metadata=Measure(is_url=True).metadata)
    desc_color: Color = Color.GREY

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuAction:
    """An entry of the menu in the corner."""

    text: str = field(metadata=REQUIRED)
    key: str = field(metadata=KEY)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMenu:
    """The menu in the corner: 1 to 3 entries, each with a key of its own."""

    desc: str = ""
    action_list: tuple[MenuAction, ...] = field(metadata=Measure(items=(1, 3)).metadata)

    def __post_init__(self) -> None:
        check(self)
        check_distinct("ActionMenu.action_list", (action.key for action in self.action_list))


@dataclass(frozen=True, slots=True, kw_only=True)
class MainTitle:
    """The card's first lines."""

    title: str = field(default="", metadata=Measure(shown=36, shown_in_webhook=26).metadata)
    desc: str = field(default="", metadata=Measure(shown=44, shown_in_webhook=30).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteArea:
    """What the card quotes."""

    title: str = ""
    quote_text: str = ""
    link: Link | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmphasisContent:
    """One figure in large type."""

    title: str = field(default="", metadata=Measure(shown=14, shown_in_webhook=10).metadata)
    desc: str = field(default="", metadata=Measure(shown=22, shown_in_webhook=15).metadata)

    def __post_init__(self) -> None:
        check(self)


# Lines and pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizontalContent:
    """A name and its value on one line; the value may lead somewhere."""

    keyname: str = field(metadata=Measure(is_required=True, shown=5).metadata)
    value: str = field(default="", metadata=Measure(shown=30, shown_in_webhook=26).metadata)
    target: Url | Attachment | MemberCard | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerticalContent:
    """A title above its text."""

    title: str = field(metadata=Measure(is_required=True, shown=26).metadata)
    desc: str = field(default="", metadata=Measure(shown=112).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A line at the foot that leads somewhere."""

    title: str = field(metadata=Measure(is_required=True, shown=18, shown_in_webhook=13).metadata)
    link: Link | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardImage:
    """The picture on top, from 1.3 to 2.25 times as wide as high."""

    url: str = field(metadata=Measure(is_required=True, is_url=True).metadata)
    aspect_ratio: float = 1.3

    def __post_init__(self) -> None:
        check(self)
        if not 1.3 <= self.aspect_ratio <= 2.25:
            raise UnsendableError("CardImage.aspect_ratio", "is not from 1.3 to 2.25")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTextArea:
    """A small picture beside a text."""

    image_url: str = field(metadata=Measure(is_required=True, is_url=True).metadata)
    title: str = ""
    desc: str = ""
    link: Link | None = None

    def __post_init__(self) -> None:
        check(self)


# What is pressed and chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that reports its `key`, or opens its `url`: one of the two; `style` is 1 to 4."""

    text: str = field(metadata=Measure(is_required=True, shown=10).metadata)
    key: str = field(default="", metadata=Measure(octets=1024).metadata)
    url: str = field(default="", metadata=Measure(octets=2048, is_url=True).metadata)
    style: int = 1

    def __post_init__(self) -> None:
        check(self)
        if bool(self.key) == bool(self.url):
            raise UnsendableError("Button.key", "a button has a key or a url, and not both")
        if not 1 <= self.style <= 4:
            raise UnsendableError("Button.style", "is not from 1 to 4")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitButton:
    """Sends what was chosen."""

    text: str = field(metadata=Measure(is_required=True, shown=10).metadata)
    key: str = field(metadata=KEY)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing to choose; the id comes back."""

    id: str = field(metadata=Measure(is_required=True, octets=128).metadata)
    text: str = field(metadata=Measure(is_required=True, shown=16).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A list of 1 to 10 options to choose one of; `selected_id` is chosen to begin with."""

    question_key: str = field(metadata=KEY)
    title: str = ""
    option_list: tuple[Option, ...] = field(metadata=Measure(items=(1, 10)).metadata)
    selected_id: str = ""

    def __post_init__(self) -> None:
        check(self)
        check_distinct("Selection.option_list", (option.id for option in self.option_list))
        if self.selected_id and self.selected_id not in {option.id for option in self.option_list}:
            raise UnsendableError("Selection.selected_id", "is none of the options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkbox:
    """1 to 20 options to tick, one or, where it `is_multiple`, several; `checked_ids` are ticked already."""

    question_key: str = field(metadata=KEY)
    option_list: tuple[Option, ...] = field(metadata=Measure(items=(1, 20)).metadata)
    checked_ids: frozenset[str] = frozenset()
    is_multiple: bool = False

    def __post_init__(self) -> None:
        check(self)
        check_distinct("Checkbox.option_list", (option.id for option in self.option_list))
        if not self.checked_ids <= {option.id for option in self.option_list}:
            raise UnsendableError("Checkbox.checked_ids", "has one that is none of the options")
        if len(self.checked_ids) > 1 and not self.is_multiple:
            raise UnsendableError("Checkbox.checked_ids", "has several, where one may be ticked")
