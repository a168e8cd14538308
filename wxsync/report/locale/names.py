"""What kinds, verbs, reasons, states, limits and fields are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wxsync.report.locale.catalogue import looked_up

EXTATTR: Final = "extattr."

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {"department": "department", "member": "member", "tag": "tag"},
    "kinds": {"department": "Departments", "member": "Members", "tag": "Tags"},
    "verb": {
        "create": "create",
        "adopt": "adopt",
        "update": "update",
        "enable": "enable",
        "disable": "disable",
        "delete": "delete",
        "keep": "keep",
    },
    "reason": {
        "foreign": "not made by wxsync",
        "protected": "protected",
        "rejected": "rejected data",
        "incomplete": "a read was not proven complete",
        "waiting": "waiting",
        "grace": "within the days of grace",
        "unadopted": "looks like a record of the source, but is not adopted",
        "unknown": "its value in WeCom is not known",
        "occupied": "still in use",
    },
    "outcome": {"done": "done", "failed": "failed", "skipped": "skipped", "unknown": "fate unknown"},
    "state": {
        "planned": "planned only",
        "running": "running",
        "applied": "applied",
        "refused": "refused",
        "stopped": "stopped",
        "failed": "failed",
    },
    "job_kind": {
        "sync_members": "members, others stay",
        "replace_members": "all members",
        "replace_departments": "all departments",
    },
    "job_state": {
        "prepared": "prepared",
        "submitting": "submitted, its id not known",
        "running": "WeCom is at it",
        "finished": "finished",
        "failed": "failed as a whole",
        "abandoned": "given up",
    },
    "trigger": {
        "manual": "by hand",
        "schedule": "by schedule",
        "change": "after a change",
        "retry": "after a failure",
        "approval": "after a click",
        "demo": "demo",
        "undo": "to undo a run",
    },
    "query": {
        "departments": "departments",
        "members": "members",
        "memberships": "memberships",
        "tags": "tags",
    },
    "tally": {
        "objectClass": "by object class",
        "parent_dn": "by place in the tree",
        "tag": "by tag",
    },
    "method": {
        "single": "one call a change",
        "batch": "batch jobs",
        "replace": "files that replace all",
        "auto": "automatic",
    },
    "limit": {
        "member_remove": "members disabled or deleted",
        "member_create": "members created",
        "member_update": "members updated",
        "field_change": "one field of many members",
        "department_create": "departments created",
        "department_update": "departments renamed or put in another order",
        "department_delete": "departments deleted",
        "department_move": "departments moved",
        "tag_member_add": "people put into tags",
        "tag_member_remove": "people taken out of tags",
        "source_shrink": "rows fewer than in the last applied read",
        "first_load": "members in WeCom before a first load",
        "missing_in_wecom": "members of ours who are no longer in WeCom",
        "changed_keys": "records of ours that have another key in the source now",
        "month_creations": "members created within 30 days, with this plan",
    },
    "window": {"24h": "within 24 hours", "7d": "within 7 days"},
    "doubt": {
        "new or lost mirror?": "new or lost mirror?",
        "another corp than the mirror's?": "another corp than the mirror's?",
        "new keys for the same people? wxsync rekey": "new keys for the same people? wxsync rekey",
    },
    "field": {
        "key": "key",
        "userid": "userid",
        "name": "name",
        "alias": "alias",
        "mobile": "mobile",
        "email": "e-mail",
        "departments": "departments",
        "main_department": "main department",
        "is_leader": "leader of",
        "order": "order",
        "direct_leader": "direct leader",
        "position": "position",
        "gender": "gender",
        "telephone": "telephone",
        "address": "address",
        "biz_mail": "company e-mail",
        "external_position": "external position",
        "enable": "enabled",
        "extattr": "own attributes",
        "active": "active",
        "starts": "first day",
        "ends": "last day",
        "parent": "parent",
        "root": "root department",
        "ref": "reference",
        "members": "people",
        "foreign_members": "people put in by hand",
        "department": "department",
        "member": "member",
        "tag": "tag",
    },
}
"""Context -> code -> the English name, which is also the key of its translation in that context."""


def name_of(context: str, code: str, language: str) -> str:
    """What `code` is called; a code that nobody named stays itself."""
    english = NAMES[context].get(code)
    return code if english is None else looked_up(english, language, context)


def field_name(field: str, language: str) -> str:
    """What a field is called; an attribute of the company's own carries its own name."""
    if field.startswith(EXTATTR):
        return field.removeprefix(EXTATTR)
    return name_of("field", field, language)
