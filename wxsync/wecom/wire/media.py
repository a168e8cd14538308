"""Files in WeCom's keeping, to its words and back (WeCom page 90253)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from wxsync.wecom.wire.shapes import DIGITS, Answer, is_number, text_of, unreadable


class MediaType(StrEnum):
    """What WeCom takes a file for."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    """Any kind, and what batch jobs read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """A file that WeCom keeps for three days, for every app of the corp."""

    media_id: str
    created_at: datetime
    """By WeCom's clock, in UTC."""


def to_upload_query(kind: MediaType) -> dict[str, str]:
    return {"type": kind.value}


def from_upload(answer: Answer) -> StoredMedia:
    endpoint = "media/upload"
    media_id = text_of(answer, "media_id", endpoint)
    if not media_id:
        raise unreadable(endpoint, "media_id is empty")
    return StoredMedia(media_id=media_id, created_at=_moment(answer.get("created_at"), endpoint))


def _moment(value: object, endpoint: str) -> datetime:
    """Seconds since 1970, which WeCom writes as a text (WeCom page 90253); a number is as good."""
    digits = value if isinstance(value, str) else str(value) if is_number(value) else ""
    try:
        return datetime.fromtimestamp(int(digits[:DIGITS]), tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise unreadable(endpoint, "created_at is not a moment") from None
