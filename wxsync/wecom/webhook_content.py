"""What a webhook takes where it is not what an app's message takes (WeCom page 99110).

Every kind checks its limits at birth and raises `UnsendableError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.blocks import Url
from wxsync.wecom.cards import NewsNotice, TextNotice
from wxsync.wecom.content import File, News, Voice
from wxsync.wecom.measures import Measure, check

SMALLEST_IMAGE: Final = 6
LARGEST_IMAGE: Final = 2 * 1024 * 1024
PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""How a JPG and a PNG begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookText:
    """Plain text of 2048 bytes, for the attention of members by userid (`@all` too) or by phone number."""

    content: str = field(repr=False, metadata=Measure(is_required=True, octets=2048).metadata)
    mentioned_userids: tuple[str, ...] = ()
    mentioned_mobiles: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMarkdown:
    """Headings, bold, links, quotes, three colours and `<@userid>`, 4096 bytes."""

    content: str = field(repr=False, metadata=Measure(is_required=True, octets=4096).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownV2:
    """Tables, lists, pictures and code too, but no colours and nobody's attention, 4096 bytes.

    Clients before 4.1.36 show it as plain text.
    """

    content: str = field(repr=False, metadata=Measure(is_required=True, octets=4096).metadata)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookImage:
    """A JPG or PNG of 2 MB, sent whole."""

    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not SMALLEST_IMAGE <= len(self.content) <= LARGEST_IMAGE:
            problem = f"has {len(self.content)} bytes, and WeCom takes {SMALLEST_IMAGE} to {LARGEST_IMAGE}"
            raise UnsendableError("WebhookImage.content", problem)
        if not self.content.startswith(PICTURES):
            raise UnsendableError("WebhookImage.content", "is neither a JPG nor a PNG")


WebhookContent = (
    WebhookText | WebhookMarkdown | MarkdownV2 | WebhookImage | News | File | Voice | TextNotice | NewsNotice
)


def check_for_webhook(content: WebhookContent) -> None:
    """Raise `UnsendableError` for what an app may send in this kind, and a webhook may not."""
    if isinstance(content, News) and not all(isinstance(one.link, Url) for one in content.articles):
        raise UnsendableError("News.articles", "a webhook's articles lead to a url each")
    if isinstance(content, NewsNotice) and content.card_image is None:
        raise UnsendableError("NewsNotice.card_image", "a webhook wants one")
