"""Long texts as a column holds them: what is very long is compressed as it comes, and never held whole.

A plan of a hundred thousand changes has a hundred million characters, which no server of MySQL takes in one
statement (`max_allowed_packet` is 16 MiB in MariaDB) and which would be twice that in memory.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

LONGEST_PLAIN: Final = 1_000_000
"""Characters; a longer text is compressed, so whoever looks into the database can read most of them."""
MARK: Final = "zlib,base64:"
"""Before what is compressed: no JSON text begins with it."""
LEVEL: Final = 6


def packed(pieces: Iterable[str]) -> str:
    """The text that the pieces make up, in the form in which it is kept."""
    coming = iter(pieces)
    plain: list[str] = []
    length = 0
    for piece in coming:
        plain.append(piece)
        length += len(piece)
        if length > LONGEST_PLAIN:
            return MARK + base64.b64encode(b"".join(_deflated(chain(plain, coming)))).decode("ascii")
    return "".join(plain)


def unpacked(kept: str) -> str:
    """The text that was packed."""
    if not kept.startswith(MARK):
        return kept
    return zlib.decompress(base64.b64decode(kept.removeprefix(MARK))).decode("utf-8")


def _deflated(pieces: Iterable[str]) -> Iterator[bytes]:
    deflating = zlib.compressobj(LEVEL)
    for piece in pieces:
        yield deflating.compress(piece.encode("utf-8"))
    yield deflating.flush()
