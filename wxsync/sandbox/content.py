"""What each type of message must hold, and how it is shown (WeCom pages 90236, 90248, 99110)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from wxsync.sandbox.fields import is_object, is_text, is_texts
from wxsync.sandbox.media import find_medium
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.state import SandboxState

Content = Mapping[str, Any]
Rule = Callable[[SandboxState, Content], Content]
"""Gives the content as it is shown, or raises `Refusal`."""

TEXT: Final = 2048
TITLE: Final = 128
DESCRIPTION: Final = 512
URL: Final = 2048
PAGE: Final = 666 * 1024
ARTICLES: Final = 8
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")


def content_of(body: Content, msgtype: str) -> Content:
    """What stands under the msgtype's name."""
    content = body.get(msgtype)
    if content is None:
        raise Refusal(44004) if msgtype in ("text", "markdown") else missing(msgtype)
    if not is_object(content):
        raise invalid(msgtype)
    found: Content = content
    return found


def text_in(content: Content, name: str, most: int | None = None) -> str:
    """A text of at most so many bytes; empty where there is none. Too long is 45002."""
    value = content.get(name)
    if value is None:
        return ""
    if not is_text(value):
        raise invalid(name)
    if most is not None and len(value.encode()) > most:
        raise Refusal(45002)
    found: str = value
    return found


def cut(text: str, most: int) -> str:
    """As many whole characters as fit into so many bytes."""
    return text.encode()[:most].decode(errors="ignore")


def check_url(url: str) -> None:
    if not SCHEME.match(url):
        raise Refusal(45034)
    if len(url.encode()) > URL:
        raise Refusal(45002)


def check_medium(
    state: SandboxState, content: Content, kind: str, *, name: str = "media_id", webhook: str | None = None
) -> None:
    """The file was uploaded as this kind, by somebody whose files the sender may use, and lives."""
    media_id = text_in(content, name)
    if not media_id:
        raise Refusal(41006)
    find_medium(state, media_id, types=(kind,), webhook=webhook)


def text(_state: SandboxState, content: Content) -> Content:
    """A text; one that is too long is cut, without a word."""
    said = text_in(content, "content")
    if not said:
        raise Refusal(44004)
    if content.get("mentioned_list") is not None and not is_texts(content["mentioned_list"]):
        raise invalid("mentioned_list")
    return {**content, "content": cut(said, TEXT)}


def markdown(_state: SandboxState, content: Content) -> Content:
    if not text_in(content, "content", TEXT):
        raise Refusal(44004)
    return content


def medium(kind: str) -> Rule:
    """The rule of a message that is one file."""

    def check(state: SandboxState, content: Content) -> Content:
        check_medium(state, content, kind)
        return content

    return check


def video(state: SandboxState, content: Content) -> Content:
    check_medium(state, content, "video")
    text_in(content, "title", TITLE)
    text_in(content, "description", DESCRIPTION)
    return content


def textcard(_state: SandboxState, content: Content) -> Content:
    if not text_in(content, "title", TITLE):
        raise Refusal(41016)
    if not text_in(content, "description", DESCRIPTION):
        raise Refusal(41033)
    check_url(text_in(content, "url"))
    if len(text_in(content, "btntxt")) > 4:
        raise invalid("btntxt")
    return {"btntxt": "详情", **content}


def articles_in(content: Content) -> list[Content]:
    """One to eight articles, each with a title."""
    articles = content.get("articles")
    if articles is None or articles == []:
        raise missing("articles")
    if not isinstance(articles, list) or not all(is_object(article) for article in articles):
        raise invalid("articles")
    if len(articles) > ARTICLES:
        raise Refusal(45008)
    for article in articles:
        if not text_in(article, "title", TITLE):
            raise Refusal(41016)
    return articles


def news(_state: SandboxState, content: Content) -> Content:
    for article in articles_in(content):
        text_in(article, "description", DESCRIPTION)
        text_in(article, "picurl")
        is_mini_program = text_in(article, "appid") and text_in(article, "pagepath", TITLE)
        if text_in(article, "url") or not is_mini_program:
            check_url(text_in(article, "url"))
    return content


def mpnews(state: SandboxState, content: Content) -> Content:
    for article in articles_in(content):
        check_medium(state, article, "image", name="thumb_media_id")
        text_in(article, "author", 64)
        text_in(article, "digest", DESCRIPTION)
        if not text_in(article, "content", PAGE):
            raise Refusal(44004)
        if text_in(article, "content_source_url"):
            check_url(text_in(article, "content_source_url"))
    return content


def miniprogram_notice(_state: SandboxState, content: Content) -> Content:
    if not text_in(content, "appid"):
        raise missing("appid")
    if not 4 <= len(text_in(content, "title")) <= 12:
        raise Refusal(41016) if not text_in(content, "title") else invalid("title")
    if text_in(content, "description") and not 4 <= len(text_in(content, "description")) <= 12:
        raise invalid("description")
    items = content.get("content_item") or []
    if not isinstance(items, list) or len(items) > 10 or not all(is_object(item) for item in items):
        raise invalid("content_item")
    for item in items:
        if not 1 <= len(text_in(item, "key")) <= 10 or not 1 <= len(text_in(item, "value")) <= 30:
            raise invalid("content_item")
    return content


CHAT_RULES: Final[Mapping[str, Rule]] = {
    "text": text,
    "image": medium("image"),
    "voice": medium("voice"),
    "video": video,
    "file": medium("file"),
    "textcard": textcard,
    "news": news,
    "mpnews": mpnews,
    "markdown": markdown,
}
"""What may go into a group chat."""

RULES: Final[Mapping[str, Rule]] = {**CHAT_RULES, "miniprogram_notice": miniprogram_notice}
"""What an app may send to members, beside template_card."""
