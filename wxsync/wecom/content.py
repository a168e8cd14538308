"""What an app's message says, to whom, and what became of it (WeCom page 90236).

Every kind checks its limits at birth and raises `UnsendableError`: nothing is sent that WeCom would refuse,
or cut without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.blocks import Link, MiniProgram
from wxsync.wecom.cards import Card
from wxsync.wecom.measures import REQUIRED, Measure, check, check_text

ARTICLES: Final = Measure(items=(1, 8)).metadata
PAGEPATH: Final = Measure(is_required=True, octets=128)
EVERYBODY: Final = "@all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text with `<a href>` links and line breaks, 2048 bytes."""

    content: str = field(repr=False, metadata=Measure(is_required=True, octets=2048).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markdown:
    """Headings, bold, links, quotes and three colours, 2048 bytes; no tables, no pictures."""

    content: str = field(repr=False, metadata=Measure(is_required=True, octets=2048).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that was uploaded."""

    media_id: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A recording that was uploaded."""

    media_id: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was uploaded."""

    media_id: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A film that was uploaded, with a title of 128 bytes and a description of 512."""

    media_id: str = field(metadata=REQUIRED)
    title: str = field(default="", metadata=Measure(octets=128).metadata)
    description: str = field(default="", repr=False, metadata=Measure(octets=512).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCard:
    """A title of 128 bytes and a description of 512, of which a tap opens the url."""

    title: str = field(repr=False, metadata=Measure(is_required=True, octets=128).metadata)
    description: str = field(repr=False, metadata=Measure(is_required=True, octets=512).metadata)
    url: str = field(metadata=Measure(is_required=True, octets=2048, is_url=True).metadata)
    btntxt: str = field(default="", metadata=Measure(characters=4).metadata)
    """The words on the button; WeCom's own are 详情."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One of `News`: a title of 128 bytes and a description of 512; the page of a mini-program has 128."""

    title: str = field(repr=False, metadata=Measure(is_required=True, octets=128).metadata)
    description: str = field(default="", repr=False, metadata=Measure(octets=512).metadata)
    link: Link
    picurl: str = field(default="", metadata=Measure(is_url=True).metadata)

    def __post_init__(self) -> None:
        check(self)
        if isinstance(self.link, MiniProgram):
            check_text("Article.link.pagepath", self.link.pagepath, PAGEPATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """1 to 8 articles, each of which is elsewhere."""

    articles: tuple[Article, ...] = field(metadata=ARTICLES)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle:
    """One of `MpNews`: 666 KB of HTML that WeCom keeps, an author of 64 bytes, a digest of 512."""

    title: str = field(repr=False, metadata=REQUIRED)
    thumb_media_id: str = field(metadata=REQUIRED)
    content: str = field(repr=False, metadata=Measure(is_required=True, octets=666 * 1024).metadata)
    author: str = field(default="", metadata=Measure(octets=64).metadata)
    content_source_url: str = field(default="", metadata=Measure(is_url=True).metadata)
    digest: str = field(default="", repr=False, metadata=Measure(octets=512).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MpNews:
    """1 to 8 articles that WeCom keeps: the one kind that can be kept from being forwarded."""

    articles: tuple[StoredArticle, ...] = field(metadata=ARTICLES)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """A line of `MiniProgramNotice`: a key of 10 characters, a value of 30."""

    key: str = field(metadata=Measure(is_required=True, characters=10).metadata)
    value: str = field(repr=False, metadata=Measure(is_required=True, characters=30).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniProgramNotice:
    """A notice of an app that is a mini-program: title and description of 4 to 12 characters, 10 lines."""

    appid: str = field(metadata=REQUIRED)
    page: str = ""
    title: str = field(repr=False, metadata=Measure(is_required=True, characters=12).metadata)
    description: str = field(default="", repr=False, metadata=Measure(characters=12).metadata)
    content_item: tuple[ContentItem, ...] = field(default=(), metadata=Measure(items=(0, 10)).metadata)
    emphasis_first_item: bool = False

    def __post_init__(self) -> None:
        check(self)
        if len(self.title) < 4 or 0 < len(self.description) < 4:
            raise UnsendableError("MiniProgramNotice.title", "or description has fewer than 4 characters")


ChatContent = Text | Markdown | Image | Voice | File | Video | TextCard | News | MpNews
"""What a group chat takes."""
Content = ChatContent | MiniProgramNotice | Card


class Safe(IntEnum):
    """Whether a message may be shared; not for every kind."""

    OPEN = 0
    CONFIDENTIAL = 1
    NOT_FORWARDABLE = 2
    """Of `MpNews` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """Whom a message goes to: 1000 members, 100 departments and 100 tags at most, or everybody in scope."""

    userids: tuple[str, ...] = field(default=(), metadata=Measure(items=(0, 1000)).metadata)
    department_ids: tuple[int, ...] = field(default=(), metadata=Measure(items=(0, 100)).metadata)
    tag_ids: tuple[int, ...] = field(default=(), metadata=Measure(items=(0, 100)).metadata)
    is_everybody: bool = False

    def __post_init__(self) -> None:
        check(self)
        is_named = bool(self.userids or self.department_ids or self.tag_ids)
        if is_named == self.is_everybody:
            raise UnsendableError("Receivers", "name somebody, or everybody, and not both")
        # One text to WeCom, in which these would mean others.
        if any("|" in userid or userid.strip() in ("", EVERYBODY) for userid in self.userids):
            raise UnsendableError("Receivers.userids", "has one that is no userid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message on its way, and those of its receivers whom it will not reach."""

    msgid: str
    """For `recall`."""
    invalid_userids: frozenset[str]
    """Spelled as among the receivers where they are there, for WeCom gives them back in lower case."""
    invalid_department_ids: frozenset[int]
    invalid_tag_ids: frozenset[int]
    unlicensed_userids: frozenset[str]
    response_code: str | None = field(repr=False)
    """For one update of a card that has buttons, within 72 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedButton:
    """What a card's buttons are greyed out with."""

    replace_name: str = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCount:
    """How many messages one app sent on one day."""

    agent_id: int
    app_name: str
    count: int
