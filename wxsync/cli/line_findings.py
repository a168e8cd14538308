"""What `wxsync check` says of the line between this machine and WeCom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wxsync.cli.finding import Finding, fault, note, ok
from wxsync.wecom.reach import Obstacle, Reach

CLOCK_OFF: Final = 60.0
"""Seconds by which a clock may differ from WeCom's: an answer takes a few by itself."""

INSPECTED: Final = (
    "somebody reads along (TLS inspection): have WeCom excepted from that, or name the issuer's own "
    "certificate in {corp}.ca_file"
)
IN_THE_WAY: Final[Mapping[Obstacle, tuple[str, str]]] = {
    Obstacle.NAME: (
        "its name does not resolve",
        "see the spelling of {corp}.base_url, and whether DNS works on this machine",
    ),
    Obstacle.NETWORK: (
        "this machine has no way there",
        "connect this machine to the network, or give it a route to WeCom",
    ),
    Obstacle.REFUSED: (
        "the connection is refused or cut",
        "see {corp}.base_url, and have the firewall let this machine out to it",
    ),
    Obstacle.SILENCE: (
        "nobody answers in time",
        "have the firewall let this machine out to it, or set {corp}.proxy",
    ),
    Obstacle.PROXY: (
        "the proxy does not let the call through",
        "see {corp}.proxy, and the user name and password in it",
    ),
    Obstacle.CERTIFICATE: (
        "its certificate is not trusted",
        INSPECTED,
    ),
    Obstacle.STRANGER: (
        "it is not WeCom that answers",
        "see {corp}.base_url, and whether a proxy or the login page of a network answers in WeCom's place",
    ),
}


def of_line(
    seen: Reach, direct: Reach | None, *, corp: str, proxy: str | None, environment: Sequence[str]
) -> Iterator[Finding]:
    """What lies between; `direct` is a look without the proxy, where there is one."""
    ignored = [] if proxy else environment
    if seen.obstacle is None:
        yield _free(seen, has_proxy=bool(proxy))
    else:
        yield _blocked(seen, corp, ignored)
    if direct is not None and _differ(seen, direct):
        yield note(
            f"the proxy changes the address: WeCom sees {seen.address} through it, {direct.address} without",
            f"enter {seen.address} in the admin console under 企业可信IP, for contact sync and for the app",
        )
    if ignored and seen.obstacle is None:
        yield note(
            f"{', '.join(ignored)} of the environment: ignored",
            f'where this machine is to call WeCom through it, set {corp}.proxy = "env"',
        )
    if proxy == "env" and not environment:
        yield note(f'{corp}.proxy is "env", and the environment names no proxy: calls go out without one')
    yield from _of_clock(seen)


def _free(seen: Reach, *, has_proxy: bool) -> Finding:
    way = " through the proxy" if has_proxy else ""
    address = f", which sees this machine as {seen.address}" if seen.address else ""
    return ok(f"WeCom is reached{way}{address}")


def _differ(seen: Reach, direct: Reach) -> bool:
    return None not in (seen.address, direct.address) and seen.address != direct.address


def _blocked(seen: Reach, corp: str, ignored: Sequence[str]) -> Finding:
    what, cure = IN_THE_WAY[seen.obstacle or Obstacle.STRANGER]
    issuer = f", issued by {seen.issuer}" if seen.issuer else ""
    if seen.obstacle is Obstacle.CERTIFICATE and _is_off(seen):
        cure = "set this machine's clock by NTP: a certificate is good for a time only"
    if ignored:
        cure += f' ({", ".join(ignored)} of the environment is ignored: {{corp}}.proxy = "env" uses it)'
    return fault(
        f"WeCom cannot be reached: {what} ({seen.problem}{issuer}), at {seen.host}", cure.format(corp=corp)
    )


def _of_clock(seen: Reach) -> Iterator[Finding]:
    if _is_off(seen):
        ahead = seen.clock_ahead or 0.0
        where = "ahead of" if ahead > 0 else "behind"
        yield fault(
            f"this machine's clock is {abs(ahead):.0f} seconds {where} WeCom's",
            "set it by NTP (timedatectl set-ntp true)",
        )


def _is_off(seen: Reach) -> bool:
    return seen.clock_ahead is not None and abs(seen.clock_ahead) > CLOCK_OFF
