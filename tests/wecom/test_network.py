from __future__ import annotations

from ipaddress import ip_network

import httpx
import pytest

from tests.wecom.line import Line, ok
from wxsync.errors import DeniedError, WeComError
from wxsync.wecom.network import Network

CALLS = {"getcallbackip": Network.get_callback_ips, "get_api_domain_ip": Network.get_api_domain_ips}


def addresses(line: Line, path: str):
    return line.ask(lambda transport: CALLS[path](Network(transport)))


@pytest.mark.parametrize("path", CALLS)
def test_addresses_and_segments(path):
    """Single addresses, CIDR, a star for the last number, and both families."""
    line = Line().script(path, ok(ip_list=["192.0.2.1", "198.51.100.0/25", "203.0.113.*", "2001:db8::1"]))
    assert addresses(line, path) == (
        ip_network("192.0.2.1/32"),
        ip_network("198.51.100.0/25"),
        ip_network("203.0.113.0/24"),
        ip_network("2001:db8::1/128"),
    )


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("ip_list", [[], None, ["office"], [1], "192.0.2.1", ["300.0.2.*"]])
def test_what_is_no_list_never_becomes_one(path, ip_list):
    """An empty list beside errcode 0 too: whoever allows by it would shut WeCom out."""
    line = Line().script(path, ok(ip_list=ip_list))
    with pytest.raises(WeComError, match="ip_list"):
        addresses(line, path)


@pytest.mark.parametrize("path", CALLS)
def test_the_empty_list_of_an_error_is_no_result(path):
    """WeCom's errors carry `ip_list: []`."""
    line = Line().script(path, httpx.Response(200, json={"errcode": 60020, "errmsg": "no", "ip_list": []}))
    with pytest.raises(DeniedError):
        addresses(line, path)
