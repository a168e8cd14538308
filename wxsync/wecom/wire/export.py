"""Exports to WeCom's JSON, and their answers and files back (WeCom pages 94849 to 94854)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from wxsync.wecom.wire.shapes import Answer, Json, number_of, object_of, rows_of, text_of, unreadable

ENDPOINT: Final = "export/get_result"
FILE: Final = "export/download"
MD5: Final = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)


class ExportStatus(IntEnum):
    """How far an export is."""

    WAITING = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """An export under way, and the key to its files, which is used for no other."""

    id: str
    encoding_aes_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One file of an export; `size` and `md5` are of what is downloaded, before it is decrypted."""

    url: str = field(repr=False)
    """Good for two hours, by itself: whoever has it has the file."""
    size: int
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """An export as it stands; it has files once it is DONE."""

    status: ExportStatus
    files: tuple[ExportFile, ...] = ()


def to_export(encoding_aes_key: str, block_size: int, tag_id: int | None) -> Json:
    body: Json = {"encoding_aeskey": encoding_aes_key, "block_size": block_size}
    return body if tag_id is None else {**body, "tagid": tag_id}


def from_export_result(answer: Answer) -> ExportResult:
    """The files only where it is done: a listing is whole or none."""
    number = number_of(answer, "status", ENDPOINT)
    if number not in set(ExportStatus):
        raise unreadable(ENDPOINT, "status is none of WeCom's")
    status = ExportStatus(number)
    rows = rows_of(answer, "data_list", ENDPOINT) if status is ExportStatus.DONE else []
    return ExportResult(status=status, files=tuple(_file(row) for row in rows))


def _file(row: Answer) -> ExportFile:
    md5 = text_of(row, "md5", ENDPOINT)
    if not MD5.fullmatch(md5):
        raise unreadable(ENDPOINT, "md5 is no MD5 sum")
    return ExportFile(
        url=text_of(row, "url", ENDPOINT), size=number_of(row, "size", ENDPOINT), md5=md5.lower()
    )


def from_file(content: bytes) -> Answer:
    """What was in a file, after it was decrypted."""
    found = object_of(content)
    if found is None:
        raise unreadable(FILE, "the file holds no JSON object")
    return found
