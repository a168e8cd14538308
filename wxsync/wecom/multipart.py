"""A file on its way to WeCom: multipart/form-data as WeCom reads it (WeCom page 90253).

Encoded here, since httpx writes no `filelength` and would have quotes in a name changed without a word.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

PART: Final = "media"
FORBIDDEN_IN_NAMES: Final = frozenset('"\\/')
"""What would end the name inside its header, or read as a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file; a name that would break out of its header is a ValueError."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"

    def __post_init__(self) -> None:
        if not is_file_name(self.filename):
            raise ValueError("filename: not the plain name of a file")


def is_file_name(name: str) -> bool:
    """Whether `name` can be sent as it is: printable, without quotes and slashes, 255 bytes at most."""
    is_plain = name.isprintable() and not FORBIDDEN_IN_NAMES.intersection(name) and name == name.strip()
    return is_plain and name not in ("", ".", "..") and len(name.encode()) <= 255


def to_multipart(file: Upload) -> tuple[str, bytes]:
    """(Content-Type, body). The name is plain UTF-8: the form of RFC 2231 is misread."""
    boundary = f"wxsync-{secrets.token_hex(24)}"
    disposition = f'form-data; name="{PART}"; filename="{file.filename}"; filelength={len(file.content)}'
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {file.content_type}\r\n\r\n"
    body = head.encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body
