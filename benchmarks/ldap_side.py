"""One reading of a directory, in a process of its own: `ldap_side.py wxsync|bare|dns|python-ldap WHERE`.

WHERE is JSON with `url`, `user`, `password` and `base`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ldap3 import NONE, Connection, Server

from benchmarks.spent import spending
from wxsync.config.settings import LdapSourceSettings
from wxsync.sources.ldap import LdapSource

PAGING = "1.2.840.113556.1.4.319"
FILTER = "(objectClass=inetOrgPerson)"
PAGE = 500
NAMES = ("uid", "cn", "sn", "employeeNumber", "mail", "mobile", "entryUUID", "modifyTimestamp")


def wxsync(where: Mapping[str, str]) -> int:
    """As a run reads people: proven, every value decoded."""
    settings = {
        "type": "ldap",
        "url": where["url"],
        "bind_dn": where["user"],
        "bind_password": where["password"],
        "base_dn": where["base"],
        "departments": "(objectClass=organizationalUnit)",
        "members": FILTER,
        "page_size": PAGE,
    }
    with LdapSource("bench", LdapSourceSettings.model_validate(settings)).open() as session:
        stream = session.read("members", frozenset(NAMES))
        count = sum(len([row[name] for name in NAMES]) == len(NAMES) for row in stream)
    if not stream.proof.is_complete:
        raise SystemExit(f"the reading is not complete: {stream.proof.problem}")
    return count


def loop(where: Mapping[str, str], attributes: Sequence[str]) -> int:
    """ldap3's own entries, page by page, and nothing made of them."""
    connection = Connection(
        Server(where["url"], get_info=NONE),
        where["user"],
        where["password"],
        auto_bind=True,
        receive_timeout=60,
    )
    count, cookie = 0, None
    while cookie is None or cookie:
        connection.search(
            where["base"], FILTER, attributes=list(attributes), paged_size=PAGE, paged_cookie=cookie
        )
        count += sum("raw_attributes" in entry for entry in connection.response or ())
        cookie = connection.result["controls"][PAGING]["value"]["cookie"]
    return count


def bare(where: Mapping[str, str]) -> int:
    return loop(where, NAMES)


def dns(where: Mapping[str, str]) -> int:
    """DNs alone: the second look."""
    return loop(where, ("1.1",))


def python_ldap(where: Mapping[str, str]) -> int:
    """The same pages through libldap, then DNs alone; ImportError where python-ldap is not there."""
    ldap: Any = importlib.import_module("ldap")
    controls: Any = importlib.import_module("ldap.controls")
    line = ldap.initialize(where["url"])
    line.simple_bind_s(where["user"], where["password"])
    for attributes in (NAMES, ("1.1",)):
        count, paging = 0, controls.SimplePagedResultsControl(True, size=PAGE, cookie=b"")
        while True:
            asked = line.search_ext(
                where["base"], ldap.SCOPE_SUBTREE, FILTER, list(attributes), serverctrls=[paging]
            )
            _, entries, _, answered = line.result3(asked)
            count += len(entries)
            paging.cookie = next(each.cookie for each in answered if each.controlType == PAGING)
            if not paging.cookie:
                break
    return count


def main(kind: str, where: Mapping[str, str]) -> None:
    reading = {"wxsync": wxsync, "bare": bare, "dns": dns, "python-ldap": python_ldap}[kind]
    with spending() as facts:
        facts["entries"] = reading(where)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
