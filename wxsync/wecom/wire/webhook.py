"""Messages of a webhook to WeCom's JSON (WeCom page 99110)."""

from __future__ import annotations

import base64
import hashlib

from wxsync.wecom.cards import NewsNotice, TextNotice
from wxsync.wecom.webhook_content import (
    MarkdownV2,
    WebhookContent,
    WebhookImage,
    WebhookMarkdown,
    WebhookText,
)
from wxsync.wecom.wire.cards import filled, to_card
from wxsync.wecom.wire.messages import to_chat_content
from wxsync.wecom.wire.shapes import Answer, Json, text_of, unreadable

SEND = "webhook/send"
UPLOAD = "webhook/upload_media"


def to_key(key: str) -> dict[str, str]:
    return {"key": key}


def to_upload_query(key: str, kind: str) -> dict[str, str]:
    return {"key": key, "type": kind}


def to_webhook_message(content: WebhookContent) -> Json:
    """The body of webhook/send: `msgtype`, and the object that it names."""
    match content:
        case WebhookText():
            return {"msgtype": "text", "text": _text(content)}
        case WebhookMarkdown():
            return {"msgtype": "markdown", "markdown": {"content": content.content}}
        case MarkdownV2():
            return {"msgtype": "markdown_v2", "markdown_v2": {"content": content.content}}
        case WebhookImage():
            return {"msgtype": "image", "image": _image(content.content)}
        case TextNotice() | NewsNotice():
            return {"msgtype": "template_card", "template_card": to_card(content)}
        case _:
            return to_chat_content(content)


def from_upload(answer: Answer) -> str:
    media_id = text_of(answer, "media_id", UPLOAD)
    if not media_id:
        raise unreadable(UPLOAD, "media_id is empty")
    return media_id


def _text(text: WebhookText) -> Json:
    return filled(
        {
            "content": text.content,
            "mentioned_list": list(text.mentioned_userids),
            "mentioned_mobile_list": list(text.mentioned_mobiles),
        }
    )


def _image(content: bytes) -> Json:
    """The md5 is of the bytes, not of their base64."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"base64": base64.b64encode(content).decode("ascii"), "md5": digest}
