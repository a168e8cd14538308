"""Bodies in parts: what a client uploads, as browsers and HTTP libraries send it (RFC 7578)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^";,\s]{1,200}))', re.IGNORECASE)
DISPOSITION: Final = re.compile(r';\s*(name|filename)=(?:"((?:[^"\\]|\\.)*)"|([^";\s]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One part of a body."""

    name: str
    filename: str
    """Empty where the part has none. `filename*=` (RFC 2231) is not read, as by WeCom."""
    content: bytes = field(repr=False)


def is_multipart(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/form-data")


def parse_multipart(content_type: str, body: bytes) -> tuple[Upload, ...]:
    """The parts that are whole and have a name; none where the body is not in parts."""
    found = BOUNDARY.search(content_type)
    if not is_multipart(content_type) or found is None:
        return ()
    delimiter = b"\r\n--" + (found[1] or found[2]).encode()
    # What stands before the first delimiter and after the last is no part (RFC 2046).
    pieces = (b"\r\n" + body).split(delimiter)
    return tuple(part for piece in pieces[1:-1] if (part := _part(piece)) is not None)


def _part(piece: bytes) -> Upload | None:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    names = _names(head.decode(errors="replace"))
    if not separator or "name" not in names:
        return None
    return Upload(name=names["name"], filename=names.get("filename", ""), content=content)


def _names(head: str) -> dict[str, str]:
    for line in head.split("\r\n"):
        title, _, value = line.partition(":")
        if title.strip().lower() == "content-disposition":
            return {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
                for name, quoted, bare in DISPOSITION.findall(value)
            }
    return {}
