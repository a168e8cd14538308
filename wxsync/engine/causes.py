"""Why a plan is over a limit: what changed in the config or in the source since the last run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.engine.vanishing import (
    called_leavers,
    dropped_departments,
    fewer_rows,
    left_departments,
    lost_departments,
    new_parents,
    one_value,
)
from wxsync.model.change import Change
from wxsync.model.config_mark import ConfigChange, changed_since
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit
from wxsync.model.remembered import Remembered

MOST_TOLD: Final = 5
"""So many keys of the config are named for one limit."""

MEMBERS: Final = ("member_remove", "member_create", "member_update", "field_change", "missing_in_wecom")
DEPARTMENTS: Final = ("department_create", "department_update", "department_delete", "department_move")
TAGS: Final = ("tag_member_add", "tag_member_remove")
PLACES: Final = frozenset({"departments", "main_department", "is_leader", "order"})
WHO: Final = frozenset({"key", "userid", "active", "starts", "ends", "ref", "enable"})
"""Names of the member mapping that say who is there at all."""

OF_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "departments": (*DEPARTMENTS, "field_change"),
    "department_attribute": (*DEPARTMENTS, "field_change"),
    "members": MEMBERS,
    "memberships": ("field_change", "member_update"),
    "tags": TAGS,
    "groups": TAGS,
    "group_name": TAGS,
}
"""Key of a source -> the limits under which a change of it shows; of any other key under all."""
OF_POLICY: Final[Mapping[str, tuple[str, ...]]] = {
    "leavers": ("member_remove",),
    "delete_after_days": ("member_remove",),
    "empty_departments": ("department_delete",),
    "adopt_departments": DEPARTMENTS,
    "adopt": ("member_create",),
    "missing_in_wecom": ("member_create",),
    "foreign_memberships": ("field_change", "member_update"),
    "clear_when_empty": ("field_change", "member_update"),
    "empty_tags": TAGS,
    "strict_tags": TAGS,
}


def causes_of(
    exceeded: Sequence[Limit],
    changes: Sequence[Change],
    desired: Desired,
    actual: Actual,
    remembered: Remembered,
    configured: Mapping[str, str],
) -> tuple[Message, ...]:
    """For each limit that is exceeded what it comes from; nothing of one whose cause does not show."""
    config = config_changes(remembered, configured) if exceeded else ()
    told: list[Message] = []
    for limit in _once(exceeded):
        found = [
            *_of_config(limit, config),
            *_of_data(limit, changes, desired, actual, remembered),
        ]
        effect = _effect(limit)
        if limit.window is not None:  # the plan by itself is within it
            effect = say("{effect} within {window}", effect=effect, window=limit.window)
        told += [say("{effect}: {cause}", effect=effect, cause=cause) for cause in found]
    return tuple(told)


def config_changes(remembered: Remembered, configured: Mapping[str, str]) -> tuple[ConfigChange, ...]:
    """What of the config is otherwise than in the last run that was applied or approved."""
    if remembered.applied_config is None:
        return ()
    return tuple(changed_since(remembered.applied_config, configured))


def told_change(change: ConfigChange) -> Message:
    """A change of the config in words, with what it held and holds where that may be shown."""
    place, _, name = change.path.rpartition(".")
    if place.endswith(".member") or ".member." in change.path:
        field = change.path.rpartition(".member.")[2]
        subject = say("the mapping of {field} changed since the last run", field=field)
    elif place.endswith(".department"):
        subject = say("the mapping of department {field} changed since the last run", field=name)
    else:
        subject = say("{path} changed since the last run", path=change.path)
    before, after = change.before, change.after
    if before is None and after is None:
        return subject
    if before is None:
        return say("{subject}, to {after}", subject=subject, after=after)
    if after is None:
        return say("{subject}; it was {before}", subject=subject, before=before)
    return say("{subject}, from {before} to {after}", subject=subject, before=before, after=after)


def _once(exceeded: Sequence[Limit]) -> Iterator[Limit]:
    """Each limit once, though it is exceeded within a window too."""
    seen: set[tuple[str, str | None]] = set()
    for limit in exceeded:
        if (limit.name, limit.detail) not in seen:
            seen.add((limit.name, limit.detail))
            yield limit


def _effect(limit: Limit) -> Message:
    """What there is so much of: "2,310 moves"."""
    count = f"{limit.count:,}"
    match limit.name:
        case "member_remove":
            return say("{count} removals", count=count)
        case "member_create":
            return say("{count} creations", count=count)
        case "member_update":
            return say("{count} updates", count=count)
        case "field_change" if limit.detail == "departments":
            return say("{count} moves", count=count)
        case "field_change":
            return say("{count} changes of {field}", count=count, field=limit.detail)
        case "department_create":
            return say("{count} new departments", count=count)
        case "department_update":
            return say("{count} changes of departments", count=count)
        case "department_delete":
            return say("{count} deletions of departments", count=count)
        case "department_move":
            return say("{count} moves of departments", count=count)
        case "tag_member_add":
            return say("{count} people put into tags", count=count)
        case "tag_member_remove":
            return say("{count} people taken out of tags", count=count)
        case "source_shrink":
            return say("{count} rows fewer in {query}", count=count, query=limit.detail)
        case "changed_keys":
            return say("{count} records with another key", count=count)
        case "missing_in_wecom":
            return say("{count} no longer in WeCom", count=count)
        case _:
            return say("{count} people in WeCom", count=count)


def _of_config(limit: Limit, config: Sequence[ConfigChange]) -> Iterator[Message]:
    found = [change for change in config if _concerns(change.path.split("."), limit)]
    yield from (told_change(change) for change in found[:MOST_TOLD])
    if len(found) > MOST_TOLD:
        yield say("{count} more keys of the config changed", count=len(found) - MOST_TOLD)


def _concerns(path: Sequence[str], limit: Limit) -> bool:
    """Whether a change of this key may show under the limit."""
    match path:
        case ["source", source, key, *_]:
            if limit.name == "source_shrink":
                shrunk, _, query = (limit.detail or "").partition(".")
                return source == shrunk and (key == query or key not in OF_SOURCES)
            return limit.name in OF_SOURCES.get(key, (limit.name,))
        case ["sync", _, "department", *_]:
            return limit.name in (*DEPARTMENTS, "changed_keys") or limit.detail == "departments"
        case ["sync", _, "member", name, *rest]:
            return _concerns_mapping(".".join([name, *rest]), limit)
        case ["sync", _, "tags", *_]:
            return limit.name in TAGS
        case ["sync", _, "policy", key, *_]:
            return limit.name in OF_POLICY.get(key, MEMBERS)
        case ["sync", _, "limits", name, *_]:
            return limit.name == name
        case ["sync", _, "authority", *_]:
            return limit.name in ("field_change", "member_update")
        case _:
            return True


def _concerns_mapping(field: str, limit: Limit) -> bool:
    if limit.name == "field_change":
        return limit.detail == field or (field in PLACES and limit.detail in PLACES)
    if limit.name == "member_update":
        return field not in WHO
    return field in WHO and limit.name in (
        "member_remove",
        "member_create",
        "changed_keys",
        "missing_in_wecom",
    )


def _of_data(
    limit: Limit, changes: Sequence[Change], desired: Desired, actual: Actual, remembered: Remembered
) -> Iterator[Message]:
    match limit.name:
        case "member_remove":
            yield from lost_departments(changes, desired, actual)
            yield from called_leavers(changes, desired)
            yield from fewer_rows(limit, desired, remembered)
        case "source_shrink":
            yield from fewer_rows(limit, desired, remembered)
            if (limit.detail or "").endswith(".members"):
                yield from lost_departments(changes, desired, actual)
        case "department_delete":
            yield from dropped_departments(changes, actual)
        case "department_move":
            yield from new_parents(changes, desired)
        case "field_change" if limit.detail == "departments":
            yield from left_departments(changes, desired, actual)
        case "field_change" if limit.detail is not None:
            yield from one_value(limit.detail, changes)
