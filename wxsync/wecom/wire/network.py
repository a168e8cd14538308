"""WeCom's own addresses, out of its JSON (WeCom pages 98988 and 97073)."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from wxsync.wecom.wire.shapes import Answer, texts_of, unreadable

Segment = IPv4Network | IPv6Network
STARRED: Final = re.compile(r"((?:\d{1,3}\.){3})\*", re.ASCII)


def from_addresses(answer: Answer, endpoint: str) -> tuple[Segment, ...]:
    """The segments of `ip_list`; an error's list is empty, so an empty one is never taken for a list."""
    segments = tuple(_segment(text, endpoint) for text in texts_of(answer, "ip_list", endpoint))
    if not segments:
        raise unreadable(endpoint, "ip_list is empty")
    return segments


def _segment(text: str, endpoint: str) -> Segment:
    """A single address, a segment as CIDR, or one with a star for its last number."""
    starred = STARRED.fullmatch(text.strip())
    try:
        return ip_network(f"{starred[1]}0/24" if starred else text.strip(), strict=False)
    except ValueError:
        raise unreadable(endpoint, "ip_list holds what is no address") from None
