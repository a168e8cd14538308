"""The bytes of a text file as text: UTF-8 or GB18030, the whole file in one of them."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final, Literal

from wxsync.sources.file_table import Origin

Encoding = Literal["auto", "utf-8", "gb18030"]

UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MOST_BY_CHANCE: Final = 50
"""Of so many lines in GB18030 one at most happens to be UTF-8 with a Chinese character in it: of names of
people fewer than one in 100,000, of two characters drawn by lot one in 109."""
FEW: Final = 2
"""So few lines may be UTF-8 by chance, all of them."""


def text_of_file(origin: Origin, content: bytes, encoding: Encoding) -> str:
    """The text without its byte order mark; raises SourceError where a byte does not fit the encoding.

    "auto" is UTF-8 where all of it is UTF-8, else GB18030 where all of it is that. Most bytes of broken
    UTF-8 make Chinese characters in GB18030 too, the wrong ones: so what is UTF-8 in many of its lines
    is never read as that.
    """
    if content.startswith(UTF16):
        raise origin.refusal("is UTF-16", hint='save it as "CSV UTF-8"')
    if b"\0" in content:
        raise origin.refusal(
            f"holds a NUL byte at {content.index(0)}",
            hint="it is no text, or was torn when its machine went down; export it anew",
        )
    if encoding == "utf-8":
        return _strictly(origin, content, "utf-8")
    lines = _look_at_lines(content)
    if encoding == "auto" and (not lines.other or content.startswith(codecs.BOM_UTF8) or lines.are_utf8):
        return _strictly(origin, content, "utf-8")
    if lines.chinese > FEW and lines.are_utf8:
        raise origin.refusal("is UTF-8", hint=f'set source.{origin.source}.encoding = "auto"')
    return _strictly(origin, content, "gb18030")


def _strictly(origin: Origin, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _undecodable(origin, content, error, encoding) from None


def _undecodable(origin: Origin, content: bytes, error: UnicodeDecodeError, encoding: str) -> Exception:
    line = content.count(b"\n", 0, error.start) + 1
    return origin.refusal(
        f"is not {encoding.upper()} in line {line}",
        hint="it was cut in the middle of a character, or put together from files of different encodings:"
        f" export it anew, or set source.{origin.source}.encoding",
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """How many lines are Chinese in UTF-8, and how many are no UTF-8."""

    chinese: int
    other: int

    @property
    def are_utf8(self) -> bool:
        """More lines are Chinese in UTF-8 than chance explains."""
        return self.chinese * MOST_BY_CHANCE > self.chinese + self.other


def _look_at_lines(content: bytes) -> _Lines:
    chinese, other = 0, 0
    for line in content.splitlines():
        if line.isascii():
            continue
        try:
            chinese += max(line.decode("utf-8")) >= "\u0800"
        except UnicodeDecodeError:
            other += 1
    return _Lines(chinese, other)
