"""Uploads, and the media_ids by which later calls name them (WeCom page 90253)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.multipart import Upload
from wxsync.sandbox.records import Medium
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.state import SandboxState

LIFE: Final = 3 * 24 * 3600
SMALLEST: Final = 6
"""Bytes: every file has more than 5."""
MEGABYTE: Final = 1024 * 1024
LARGEST: Final[Mapping[str, int]] = {
    "image": 10 * MEGABYTE,
    "voice": 2 * MEGABYTE,
    "video": 10 * MEGABYTE,
    "file": 20 * MEGABYTE,
}
"""type -> bytes; older pages and the text of 45001 have smaller ones."""

IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
AMR: Final = b"#!AMR\n"
FRAMES: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6)
"""Bytes of a voice frame, by its mode; each is 20 ms (RFC 4867)."""
LONGEST_VOICE: Final = 60 * 50
"""Frames in 60 seconds."""


def upload(asked: Asked) -> Mapping[str, Any]:
    """A file is there for three days, for all apps of the corp."""
    medium = take_upload(asked.state, asked.query.get("type", ""), asked.uploads, tuple(LARGEST))
    return {"type": medium.type, "media_id": medium.media_id, "created_at": str(int(asked.state.clock()))}


def take_upload(
    state: SandboxState,
    kind: str,
    uploads: tuple[Upload, ...],
    types: tuple[str, ...],
    *,
    webhook: str | None = None,
) -> Medium:
    """The part `media` is stored; `types` are those that the call takes."""
    if kind not in types:
        raise Refusal(40005)
    part = next((upload for upload in uploads if upload.name == "media"), None)
    if part is None or not part.content:
        raise Refusal(44001)
    check_medium(kind, part)
    now = state.clock()
    for media_id in [id for id, medium in state.media.items() if medium.ends_at <= now]:
        del state.media[media_id]
    medium = Medium(
        media_id=f"3{secrets.token_urlsafe(45)}",
        type=kind,
        filename=part.filename,
        content=part.content,
        ends_at=now + LIFE,
        webhook=webhook,
    )
    state.media[medium.media_id] = medium
    return medium


def check_medium(kind: str, part: Upload) -> None:
    """Size, kind and length are those of the kind."""
    size = len(part.content)
    if size < SMALLEST:
        raise Refusal(40006)
    if size > LARGEST[kind]:
        raise Refusal(45001)
    # A part without a filename is no file to WeCom; that this is 40004 is our own choice.
    if not part.filename or not _is_of_kind(kind, part.content):
        raise Refusal(40004)
    if kind == "voice" and _frames(part.content) > LONGEST_VOICE:
        raise Refusal(45007)


def _is_of_kind(kind: str, content: bytes) -> bool:
    match kind:
        case "image":
            return content.startswith(IMAGES)
        case "voice":
            return content.startswith(AMR)
        case "video":
            return content[4:8] == b"ftyp"
    return True


def _frames(voice: bytes) -> int:
    """How many frames there are, up to what is no frame."""
    position, count = len(AMR), 0
    while position < len(voice):
        mode = voice[position] >> 3 & 15
        if mode >= len(FRAMES):
            break
        position += FRAMES[mode]
        count += 1
    return count


def find_medium(
    state: SandboxState, media_id: str, *, types: tuple[str, ...], webhook: str | None = None
) -> Medium:
    """The file of this media_id if it lives, is of one of the types, and may be used here (else 40007)."""
    medium = state.media.get(media_id)
    if medium is None or medium.ends_at <= state.clock() or medium.type not in types:
        raise Refusal(40007)
    if medium.webhook != webhook:
        raise Refusal(40007)
    return medium


OPERATIONS: Final = (
    Operation(
        path="media/upload",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=upload,
        success="",
        takes_uploads=True,
    ),
)
