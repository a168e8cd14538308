"""Entries of directories by a few words each, and what a sync wants of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.servers import samba, slapd
from wxsync.config.checks import with_ldap_defaults
from wxsync.config.settings import Settings
from wxsync.model.desired import Desired
from wxsync.model.unknown import Unknown
from wxsync.sources.ldap import LdapSource
from wxsync.sources.reader import read_desired

Attributes = dict[str, list[str | bytes]]
Record = tuple[str, Attributes]

BASE = f"ou=Company,{slapd.SUFFIX}"
OUTSIDE = f"ou=Outside,{slapd.SUFFIX}"
AD_BASE = f"OU=Company,{samba.DOMAIN}"
USERS = f"CN=Users,{samba.DOMAIN}"


def unit(dn: str) -> Record:
    """An organizational unit, on either kind of server; the server adds what its name says."""
    return dn, {"objectClass": ["organizationalUnit"]}


def values(given: Mapping[str, Any]) -> Attributes:
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def person(login: str, place: str = BASE, **more: Any) -> Record:
    """Somebody in OpenLDAP."""
    attributes = {"objectClass": "inetOrgPerson", "uid": login, "cn": f"员工{login}", "sn": login}
    return f"uid={login},{place}", values({**attributes, **more})


def group(name: str, *members: str, place: str = BASE, **more: Any) -> Record:
    """A group in OpenLDAP, of DNs."""
    attributes = {"objectClass": "groupOfNames", "cn": name, "member": list(members)}
    return f"cn={name},{place}", values({**attributes, **more})


def user(login: str, place: str = AD_BASE, **more: Any) -> Record:
    """Somebody in Active Directory: enabled, and without a password."""
    attributes = {
        "objectClass": "user",
        "sAMAccountName": login,
        "displayName": f"员工{login}",
        "userAccountControl": "544",
    }
    return f"CN={login},{place}", values({**attributes, **more})


def ad_group(name: str, *members: str, place: str = AD_BASE) -> Record:
    """A group in Active Directory."""
    attributes: dict[str, Any] = {"objectClass": "group", "sAMAccountName": name}
    return f"CN={name},{place}", values({**attributes, **({"member": list(members)} if members else {})})


def openldap_source(server: slapd.SlapdServer, **settings: Any) -> dict[str, Any]:
    """[source.directory] of an OpenLDAP server."""
    return {
        "type": "ldap",
        "url": server.url,
        "bind_dn": slapd.READER,
        "bind_password": slapd.PASSWORD,
        "base_dn": BASE,
        "departments": "(objectClass=organizationalUnit)",
        "members": "(objectClass=inetOrgPerson)",
        "page_size": 7,
        **settings,
    }


def samba_source(server: samba.Samba, **settings: Any) -> dict[str, Any]:
    """[source.directory] of a domain controller."""
    return {
        "type": "ldap",
        "url": server.url,
        "ca_file": str(server.authority.file),
        "bind_dn": samba.READER,
        "bind_password": samba.PASSWORD,
        "base_dn": AD_BASE,
        "departments": "(objectClass=organizationalUnit)",
        "members": "(&(objectCategory=person)(objectClass=user))",
        "page_size": 7,
        **settings,
    }


def desire(
    source: Mapping[str, Any],
    *,
    department: Mapping[str, str] | None = None,
    rules: Mapping[str, str] | None = None,
    now: datetime | None = None,
    **member: Any,
) -> Desired:
    """What a sync wants whose only source is the directory; the mapping is the least one, and `member`."""
    is_ad = str(source["base_dn"]).startswith(("OU=", "DC="))
    least = {"userid": "sAMAccountName", "name": "displayName"} if is_ad else {"userid": "uid", "name": "cn"}
    sync = {
        "corp": "acme",
        "sources": ["directory"],
        "mode": "plan",
        "member": {**least, **member},
        "tags": dict(rules or {}),
        "policy": {"leavers": "disable", "empty_departments": "keep", "adopt": []},
        **({} if department is None else {"department": dict(department)}),
    }
    data = {
        "mirror": {"url": "sqlite:///unused.db"},
        "corp": {"acme": {"corp_id": "ww1", "contact_secret": "unused"}},
        "source": {"directory": dict(source)},
        "sync": {"acme": sync},
    }
    settings = Settings.model_validate(with_ldap_defaults(data))
    moment = now or datetime.now(UTC)
    of = settings.source["directory"]
    assert of.type == "ldap"
    sources = [LdapSource("directory", of, lambda: moment)]
    return read_desired(sources, settings.sync["acme"], moment, sync_name="acme")


def tree(desired: Desired) -> dict[str, str]:
    """Every department's path by names, from the root department down: name -> path of its parent."""
    names = {key: str(each.name) for key, each in desired.departments.items()}

    def path(key: object) -> str:
        return f"{path(desired.departments[key].parent)}/{names[key]}" if isinstance(key, str) else ""

    return {names[key]: path(each.parent) for key, each in desired.departments.items()}


def places(desired: Desired) -> dict[str, tuple[str, ...]]:
    """userid -> the names of the departments, the main one first; "" is the root department."""
    names: dict[object, str] = {key: str(each.name) for key, each in desired.departments.items()}
    return {
        each.userid: tuple(names.get(ref, "") for ref in each.departments)
        for each in desired.members.values()
        if not isinstance(each.departments, Unknown)
    }


def tagged(desired: Desired) -> dict[str, set[str]]:
    """Tag -> userids."""
    return {name: {desired.members[key].userid for key in tag.members} for name, tag in desired.tags.items()}


def led_by(desired: Desired) -> dict[str, str | None]:
    """userid -> the direct leader's userid."""
    return {
        each.userid: desired.members[each.direct_leader].userid
        if isinstance(each.direct_leader, str)
        else None
        for each in desired.members.values()
    }


def doubts(desired: Desired) -> list[str]:
    """Why readings are not proven complete."""
    return [f"{each.query}: {each.problem}" for each in desired.readings if not each.is_complete]
