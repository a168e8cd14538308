"""The calls of webhooks ("group robots"): a key instead of a token (WeCom page 99110)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox import cards, fields
from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.content import Content, articles_in, check_medium, check_url, content_of, text_in
from wxsync.sandbox.media import IMAGES, MEGABYTE, SMALLEST, take_upload
from wxsync.sandbox.postbox import Message
from wxsync.sandbox.rates import MINUTE, Window
from wxsync.sandbox.records import Webhook
from wxsync.sandbox.refusal import TEXTS, Refusal, invalid
from wxsync.sandbox.state import SandboxState

PER_MINUTE: Final = (Window(MINUTE, 20),)
TEXT: Final = 2048
MARKDOWN: Final = 4096
IMAGE: Final = 2 * MEGABYTE
TYPES: Final = ("text", "markdown", "markdown_v2", "image", "news", "file", "voice", cards.TEMPLATE_CARD)


def send(asked: Asked) -> Mapping[str, Any]:
    """One message into the webhook's chat."""
    webhook = _webhook(asked)
    msgtype = asked.given({"msgtype": fields.is_text}).get("msgtype")
    if msgtype not in TYPES:
        raise Refusal(40008)
    content = content_of(asked.body, msgtype)
    _check(asked.state, webhook, msgtype, content)
    now = asked.state.clock()
    if not asked.state.post.rates.spend(("webhook", webhook.key), PER_MINUTE, now):
        raise Refusal(45009)
    message = Message(msgid="", msgtype=msgtype, content=content, sent_at=now, webhook=webhook.name)
    asked.state.post.messages.append(message)
    return {}


def upload_media(asked: Asked) -> Mapping[str, Any]:
    """A file for this webhook alone. That there is one is looked at before the key."""
    if not any(part.name == "media" and part.content for part in asked.uploads):
        raise Refusal(44001)
    webhook = _webhook(asked)
    kind = asked.query.get("type", "")
    medium = take_upload(asked.state, kind, asked.uploads, ("file", "voice"), webhook=webhook.key)
    return {"type": kind, "media_id": medium.media_id, "created_at": str(int(asked.state.clock()))}


def _webhook(asked: Asked) -> Webhook:
    webhook = asked.state.webhooks.get(asked.query.get("key", ""))
    if webhook is None:
        raise Refusal(93000)
    if not webhook.is_enabled:
        raise Refusal(93004)
    return webhook


def _check(state: SandboxState, webhook: Webhook, msgtype: str, content: Content) -> None:
    """The content is in order for its type; a text that is too long is refused here, not cut."""
    match msgtype:
        case "text":
            _check_text(content, TEXT)
            for name in ("mentioned_list", "mentioned_mobile_list"):
                if content.get(name) is not None and not fields.is_texts(content[name]):
                    raise invalid(name)
        case "markdown" | "markdown_v2":
            _check_text(content, MARKDOWN)
        case "image":
            _check_image(content)
        case "news":
            for article in articles_in(content):
                text_in(article, "description", 512)
                check_url(text_in(article, "url"))
        case "file" | "voice":
            check_medium(state, content, msgtype, webhook=webhook.key)
        case _:
            _check_card(state, content)


def _check_text(content: Content, most: int) -> None:
    said = text_in(content, "content")
    if not said:
        raise Refusal(44004)
    if len(said.encode()) > most:
        raise Refusal(40058, f"content exceed max length {most}. {TEXTS[40058]}")


def _check_image(content: Content) -> None:
    """A JPG or PNG of at most 2 MB, and the md5 of its bytes."""
    try:
        image = base64.b64decode(text_in(content, "base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("image.base64") from error
    if not SMALLEST <= len(image) <= IMAGE:
        raise Refusal(40009)
    if not image.startswith(IMAGES):
        raise Refusal(40004)
    if hashlib.md5(image, usedforsecurity=False).hexdigest() != text_in(content, "md5"):
        raise Refusal(301019)


def _check_card(state: SandboxState, card: Content) -> None:
    """Cards that tell and do not ask; a news card has a picture."""
    if card.get("card_type") not in cards.NOTICES:
        raise Refusal(42031)
    if card["card_type"] == cards.NEWS_NOTICE and card.get("card_image") is None:
        raise Refusal(42044)
    cards.check_card(state, card)


OPERATIONS: Final = (
    Operation(
        path="webhook/send",
        method="POST",
        permission=Permission.NOBODY_IN_PARTICULAR,
        carry_out=send,
        is_write=True,
    ),
    Operation(
        path="webhook/upload_media",
        method="POST",
        permission=Permission.NOBODY_IN_PARTICULAR,
        carry_out=upload_media,
        success="",
        takes_uploads=True,
    ),
)
