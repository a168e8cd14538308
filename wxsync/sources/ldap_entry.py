"""One entry of a directory as the server sent it: raw bytes, nothing decoded, nothing guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A DN and the raw values of the attributes that were asked for.

    Attribute names are in lower case, as the directory compares them, options such as
    `member;range=0-1499` included. An attribute that the entry lacks is not in `attributes`.
    """

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]
