"""What holds between the tables of a config, checked on the file's own data.

The data may be faulty anywhere: so these faults are told together with those of single tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.config.attributes import PHOTOS, base_of
from wxsync.config.expressions import Expression, ExpressionError
from wxsync.config.problems import Problem
from wxsync.config.suggestions import did_you_mean
from wxsync.config.table import ATTRIBUTE

Data = Mapping[str, Any]

LDAP_KEY: Final = "entryUUID | default(objectGUID) | guid"
"""Each kind of directory has one of them, and null in the place of the other one."""

LDAP_DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "department": {"key": LDAP_KEY, "parent": "parent_dn", "name": "rdn", "ref": "dn"},
    "member": {"key": LDAP_KEY, "departments": "parent_dn"},
}
"""What the mapping of a sync says by itself where its authority is a directory."""


def with_ldap_defaults(data: Data) -> dict[str, Any]:
    """The data with the mapping that an LDAP row has by default, where the sync leaves it out."""
    syncs = {name: _completed(sync, data) for name, sync in _tables(data.get("sync")).items()}
    return {**data, "sync": syncs} if syncs and len(syncs) == len(data["sync"]) else dict(data)


def _completed(sync: Data, data: Data) -> dict[str, Any]:
    authority = _tables(data.get("source")).get(_first_source(sync) or "", {})
    if authority.get("type") != "ldap":
        return dict(sync)
    mappings = {
        table: {**defaults, **sync.get(table, {})}
        for table, defaults in _ldap_defaults(authority).items()
        if isinstance(sync.get(table, {}), dict)
    }
    return {**sync, **mappings}


def _ldap_defaults(source: Data) -> Mapping[str, Mapping[str, str]]:
    attribute = source.get("department_attribute")
    if not isinstance(attribute, str) or not ATTRIBUTE.fullmatch(attribute):
        return LDAP_DEFAULTS
    value = f"col('{attribute}')"
    return {
        "department": {"key": value, "parent": "none", "name": value},
        "member": {**LDAP_DEFAULTS["member"], "departments": f"all('{attribute}')"},
    }


def check_references(data: Data) -> Iterator[Problem]:
    """Names that point to no table, and what a table lacks for the use that another makes of it."""
    corps, sources = _tables(data.get("corp")), _tables(data.get("source"))
    for name, sync in _tables(data.get("sync")).items():
        here: tuple[str | int, ...] = ("sync", name)
        corp = sync.get("corp")
        if isinstance(corp, str) and corp not in corps:
            yield Problem((*here, "corp"), _no_table("corp", corp, corps))
        listed = sync.get("sources")
        for n, source in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(source, str) and source not in sources:
                yield Problem((*here, "sources", n), _no_table("source", source, sources))
        yield from _check_authority(here, _first_source(sync), sources)
        yield from _check_root(here, sync)
        yield from _check_told(here, sync, corps, _tables(data.get("notify")))
        if any(sources.get(name, {}).get("type") == "ldap" for name in _texts(listed)):
            yield from _check_photos(here, sync)
    yield from _check_siblings(_tables(data.get("sync")))
    yield from _check_replacing(_tables(data.get("sync")))


def _check_authority(here: tuple[str | int, ...], first: str | None, sources: Data) -> Iterator[Problem]:
    source = sources.get(first or "", {})
    if source.get("type") in ("sql", "file") and "departments" not in source and first is not None:
        why = f"is required: {first} is the first source of {here[1]}, which says what departments there are"
        yield Problem(("source", first, "departments"), why)


def _check_root(here: tuple[str | int, ...], sync: Data) -> Iterator[Problem]:
    policy = sync.get("policy")
    adopted = policy.get("adopt_departments") if isinstance(policy, dict) else None
    for key, id_ in adopted.items() if isinstance(adopted, dict) else ():
        if id_ == sync.get("root_department", 1):
            why = f"{id_} is root_department itself: its row is named by department.root"
            yield Problem((*here, "policy", "adopt_departments", key), why)


def _check_told(
    here: tuple[str | int, ...], sync: Data, corps: Data, channels: Mapping[str, Data]
) -> Iterator[Problem]:
    """The ways by which people are told are there, and so is the app that they take."""
    corp, listed = sync.get("corp"), sync.get("notify")
    app = corps.get(corp, {}).get("app") if isinstance(corp, str) else None
    for n, name in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(name, str):
            continue
        channel, place = channels.get(name), (*here, "notify", n)
        if channel is None:
            yield Problem(place, _no_table("notify", name, channels))
        elif channel.get("type") == "app" and not isinstance(app, dict):
            yield Problem(place, f"{name} sends by the corp's app: give [corp.{corp}.app]")
        elif channel.get("approvers") and isinstance(app, dict) and "callback" not in app:
            yield Problem(
                place, f"{name} has approvers, whose clicks come back: give [corp.{corp}.app.callback]"
            )


def _check_photos(here: tuple[str | int, ...], sync: Data) -> Iterator[Problem]:
    for table in ("department", "member", "tags"):
        for place, text in _expressions((*here, table), sync.get(table)):
            for name in sorted(_names_in(text)):
                if base_of(name) in PHOTOS:
                    yield Problem(
                        place, f"reads {name}: photos are never read from a directory. Leave it out"
                    )


def _expressions(place: tuple[str | int, ...], table: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, str):
            yield (*place, name), value
        else:
            yield from _expressions((*place, name), value)


def _names_in(text: str) -> frozenset[str]:
    try:
        return Expression(text).names
    except ExpressionError:  # which is a problem of its own
        return frozenset()


def _check_siblings(syncs: Mapping[str, Data]) -> Iterator[Problem]:
    """Of two syncs under one department each would find the other's departments in its own tree."""
    roots: dict[tuple[str, int], str] = {}
    for name, sync in syncs.items():
        corp, root = sync.get("corp"), sync.get("root_department", 1)
        if isinstance(corp, str) and isinstance(root, int) and (corp, root) in roots:
            other = roots[corp, root]
            why = f"{root} is that of sync {other} too, which feeds the same corp: give each its own"
            yield Problem(("sync", name, "root_department"), why)
        elif isinstance(corp, str) and isinstance(root, int):
            roots[corp, root] = name


def _check_replacing(syncs: Mapping[str, Data]) -> Iterator[Problem]:
    """A file that replaces everybody is for the one sync that owns the whole corp."""
    for name, sync in syncs.items():
        policy = sync.get("policy")
        if not isinstance(policy, dict) or policy.get("replace") is not True:
            continue
        here = ("sync", name, "policy", "replace")
        others = [other for other in syncs if other != name and syncs[other].get("corp") == sync.get("corp")]
        if others:
            yield Problem(here, f"replaces the whole corp, which sync {others[0]} feeds too: leave it out")
        if sync.get("root_department", 1) != 1:
            yield Problem(here, "replaces the whole corp, of which root_department is a part: leave it out")


def _no_table(kind: str, name: str, known: Data) -> str:
    return f"there is no table [{kind}.{name}].{did_you_mean(name, known)}".removesuffix(".")


def _first_source(sync: Data) -> str | None:
    sources = sync.get("sources")
    if isinstance(sources, list) and sources and isinstance(sources[0], str):
        return sources[0]
    return None


def _texts(listed: Any) -> list[str]:
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _tables(data: Any) -> dict[str, dict[str, Any]]:
    """Those of the named tables that are tables."""
    if not isinstance(data, dict):
        return {}
    return {name: table for name, table in data.items() if isinstance(table, dict)}
