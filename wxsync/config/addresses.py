"""Addresses in the config: WeCom's, the proxy's, our own and the directory's, checked."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

HOST_AND_PORT: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>[0-9]{1,5})")

GLOBAL_CATALOG: Final = (3268, 3269)
"""Where Active Directory gives a part of the attributes of the whole forest ([MS-ADTS] 3.1.1.1.11)."""


def check_listen(text: str) -> str:
    """`host:port`, or `[address]:port` for IPv6."""
    match = HOST_AND_PORT.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError('is not host:port, such as "127.0.0.1:8080" or "[::1]:8080"')
    return text


def check_base_url(text: str, *, allow_http: bool) -> str:
    """WeCom's address without a trailing slash; encrypted unless it is on this machine."""
    parts = _split(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError('is not a web address such as "https://qyapi.weixin.qq.com"')
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be a plain address, without user, query or fragment")
    path = parts.path.rstrip("/")
    if "cgi-bin" in path.split("/"):
        raise ValueError("must be without /cgi-bin: wxsync adds it itself")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise ValueError(
            "is http://, which would send the secrets unencrypted. "
            "Use https://, or set allow_http = true beside it"
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def check_public_url(text: str) -> str:
    """Where others reach us, without a trailing slash; encrypted unless it is on this machine."""
    parts = _split(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError('is not a web address such as "https://wxsync.example.com"')
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be a plain address, without user, query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is http://: what people and WeCom send would be readable on its way. Use https://")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def check_proxy(text: str) -> str:
    """`env`, or the address of an HTTP proxy."""
    if text == "env":
        return text
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('is neither "env" nor a proxy\'s address such as "http://proxy:3128"')
    # A password with a slash would end the host before it: the proxy would be another one than was meant.
    if text.count("@") > 1 or "?" in text or "#" in text or parts.path not in ("", "/"):
        raise ValueError(
            "has a path, query, fragment or a second @. "
            "In a user or password write @ as %40, / as %2F, ? as %3F and # as %23"
        )
    return text


def check_ldap_url(text: str) -> str:
    """`ldap://host[:port]` or `ldaps://host[:port]`; the problem shows nothing of it."""
    if "@" in text:  # wherever it is: a password with a slash would look like a path
        raise ValueError(
            "must be without user and password, which would not be used: give bind_dn and bind_password"
        )
    parts = _split(text)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
        raise ValueError('is not a directory\'s address such as "ldaps://dc1.example.com"')
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be without a path: the base of the search is base_dn")
    if parts.port in GLOBAL_CATALOG:
        raise ValueError(
            f"is the global catalog (port {parts.port}), which has not all attributes of anybody:"
            " take the domain controller's own port, 636 for ldaps:// and 389 for ldap://"
        )
    return text


def check_network(text: str) -> str:
    """`10.0.0.0/8`, or one address; in the form in which networks are usually written."""
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    try:
        meant = f': did you mean "{ip_network(text, strict=False)}"?'
    except ValueError:
        meant = ' such as "10.0.0.0/8", "192.0.2.7" or "fd00::/8"'
    raise ValueError(f'"{text}" is no network{meant}')


def is_loopback(host: str) -> bool:
    """The host is this machine, whatever a name server says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # only here is a port outside its range an error
    except ValueError:
        raise ValueError("is not an address that can be read") from None
    if any(mark.isspace() for mark in text):
        raise ValueError("holds white space")
    return parts
