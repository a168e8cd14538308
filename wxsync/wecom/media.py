"""Uploads to WeCom, for messages and for batch jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.multipart import Upload, is_file_name
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import media as wire
from wxsync.wecom.wire.media import MediaType, StoredMedia

MB: Final = 1024 * 1024
LEAST: Final = 6
"""Bytes: WeCom wants more than 5 (WeCom page 90253)."""
LARGEST: Final[Mapping[MediaType, int]] = MappingProxyType(
    {
        MediaType.IMAGE: 10 * MB,
        MediaType.VOICE: 2 * MB,
        MediaType.VIDEO: 10 * MB,
        MediaType.FILE: 20 * MB,
    }
)
"""Bytes by type; older pages say less for pictures, and WeCom then says so itself (45001)."""
SUFFIXES: Final[Mapping[MediaType, tuple[str, ...]]] = MappingProxyType(
    {
        MediaType.IMAGE: (".jpg", ".jpeg", ".png"),
        MediaType.VOICE: (".amr",),
        MediaType.VIDEO: (".mp4",),
    }
)


class Media:
    """Uploads with one secret; what is uploaded is good for all apps of the corp."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def upload(self, kind: MediaType, filename: str, content: bytes) -> StoredMedia:
        """Leave a file with WeCom for three days; people see `filename`.

        More than 5 bytes, and at most 20 MB as a file, 10 MB as a picture (JPG, PNG) or a video (MP4), 2 MB
        and 60 seconds as a voice (AMR). What is out of these bounds raises `UnsendableError` and is not sent.
        What WeCom refuses raises `WeComApiError` (40004, 40006, 40009, 40011, 45001, 45007), and a line that
        fails `WeComTransportError`. A repeat leaves a second copy, and harms nobody (WeCom page 90253).
        """
        check_upload(kind, filename, content)
        answer = await self._transport.send(
            "POST",
            "media/upload",
            params=wire.to_upload_query(kind),
            file=Upload(filename=filename, content=content),
            is_repeatable=True,
        )
        return wire.from_upload(answer)


def check_upload(kind: MediaType, filename: str, content: bytes) -> None:
    """Raise `UnsendableError` for a file that WeCom would refuse."""
    size, largest = len(content), LARGEST[kind]
    if size < LEAST:
        raise UnsendableError("content", f"has {size} bytes, and WeCom takes {LEAST} at least")
    if size > largest:
        raise UnsendableError("content", f"has {size} bytes, and WeCom takes {largest} of a {kind}")
    if not is_file_name(filename):
        raise UnsendableError("filename", "is over 255 bytes, or has slashes, quotes or line breaks")
    suffixes = SUFFIXES.get(kind)
    if suffixes and PurePath(filename).suffix.lower() not in suffixes:
        raise UnsendableError("filename", f"is of no {kind}: WeCom takes {' '.join(suffixes)}")
