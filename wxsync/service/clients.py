"""Who is at the other end of a request: the one place that believes a proxy, where the config names it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED: Final = "x-forwarded-for"
MOST_HOPS: Final = 20


def client_address(request: HTTPConnection, trusted: Sequence[str]) -> Address | None:
    """The address of whoever calls; None where there is none, as of a Unix socket.

    `trusted` are networks of proxies (`service.trusted_proxies`). X-Forwarded-For counts where the
    connection comes from one of them, from its end on: each proxy adds whom it saw, and what stands before
    the first that is not trusted may be made up. uvicorn's own `proxy_headers` must be off.
    """
    client = None if request.client is None else to_address(request.client.host)
    networks = [ip_network(text) for text in trusted]
    for hop in _hops(request):
        if client is None or not is_within(client, networks):
            return client
        seen = to_address(hop)
        if seen is None:
            return client
        client = seen
    return client


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """One of the networks has this address."""
    return any(address in network for network in networks)


def to_address(text: str) -> Address | None:
    """An address as a proxy may write it, with a port or in brackets; IPv4 within IPv6 is IPv4."""
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _hops(request: HTTPConnection) -> list[str]:
    """The last ones first."""
    said = ",".join(request.headers.getlist(FORWARDED))
    return said.split(",")[::-1][:MOST_HOPS] if said else []
