"""The calls for departments (WeCom pages 90205 to 90208, 95350, 95351)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.fields import (
    INT32_MAX,
    UINT32_MAX,
    Check,
    Shape,
    check_all,
    check_department_name,
    is_integer,
    is_text,
    required,
    within,
)
from wxsync.sandbox.records import ROOT, Department
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.state import SandboxState

SHAPES: Final[Mapping[str, Shape]] = {
    "id": is_integer,
    "name": is_text,
    "name_en": is_text,
    "parentid": is_integer,
    "order": is_integer,
}

CHECKS: Final[Mapping[str, Check]] = {
    "id": within("id", 1, INT32_MAX),
    "name": check_department_name,
    "name_en": check_department_name,
    "order": within("order", 0, UINT32_MAX),
}


def create(asked: Asked) -> Mapping[str, Any]:
    """A new department, with the id that was asked for or the next free one."""
    state, directory = asked.state, asked.directory
    given = asked.given(SHAPES)
    name, parentid = required(given, "name"), required(given, "parentid")
    check_all(given, CHECKS)
    parent = directory.departments.get(parentid)
    if parent is None:
        raise Refusal(60004)
    if given.get("id") in directory.departments:
        raise _existed(given["id"])
    _check_sibling(directory, parentid, name, None)
    _check_place(state, parent, levels=1)
    if len(directory.departments) >= state.max_departments:
        raise Refusal(81001)
    department = directory.add_department(
        id=given.get("id"),
        name=name,
        name_en=given.get("name_en", ""),
        parentid=parentid,
        order=given.get("order"),
    )
    return {"id": department.id}


def update(asked: Asked) -> Mapping[str, Any]:
    """The given fields of a department; another parent moves all that is below along."""
    state, directory = asked.state, asked.directory
    given = asked.given(SHAPES)
    required(given, "id")
    check_all(given, CHECKS)
    department = directory.departments.get(given["id"])
    if department is None:
        raise Refusal(60003)
    parentid, name = given.get("parentid", department.parentid), given.get("name", department.name)
    if "parentid" in given:
        _check_parent(state, department, parentid)
    _check_sibling(directory, parentid, name, department)
    if (parentid, name) != (department.parentid, department.name):
        directory.move_department(department, parentid=parentid, name=name)
    department.order = given.get("order", department.order)
    department.name_en = given.get("name_en", department.name_en)
    return {}


def _check_parent(state: SandboxState, department: Department, parentid: int) -> None:
    """The root has no parent that could be named; nobody goes below itself."""
    if department.id == ROOT or parentid < ROOT:
        raise Refusal(60124)
    parent = state.departments.get(parentid)
    if parent is None:
        raise Refusal(60004)
    if department.id in state.directory.ancestors(parentid):
        raise Refusal(60010)
    if parentid != department.parentid:
        _check_place(state, parent, levels=state.directory.height(department))


def _check_place(state: SandboxState, parent: Department, *, levels: int) -> None:
    """The parent has room for one more, and so many levels more are not too deep.

    That the root counts as the first of the 15 levels is our own choice.
    """
    if len(parent.children) + len(parent.members) >= state.max_nodes:
        raise Refusal(81001)
    if state.directory.level(parent.id) + levels > state.max_levels:
        raise Refusal(81002)


def _check_sibling(directory: Directory, parentid: int, name: str, own: Department | None) -> None:
    """No other department of that name has the same parent."""
    sibling = directory.child_named(parentid, name)
    if sibling is not None and sibling is not own:
        raise _existed(sibling.id)


def _existed(id: int) -> Refusal:
    return Refusal(60008, f"department existed: {id}")


def delete(asked: Asked) -> Mapping[str, Any]:
    """An empty department is no more."""
    department = _department(asked, asked.required_number("id"))
    if department.id == ROOT:
        raise Refusal(60007)
    if department.members:
        raise Refusal(60005)
    if department.children:
        raise Refusal(60006)
    asked.directory.remove_department(department)
    return {}


def full_list(asked: Asked) -> Mapping[str, Any]:
    """A department, or all that the caller sees, and all below, with names."""
    scope = asked.scope
    return {"department": [details(asked.state, scope, department) for department in _subtree(asked, scope)]}


def simplelist(asked: Asked) -> Mapping[str, Any]:
    """A department, or all that the caller sees, and all below, without names."""
    return {
        "department_id": [
            {"id": department.id, "parentid": department.parentid, "order": department.order}
            for department in _subtree(asked, asked.scope)
        ]
    }


def get(asked: Asked) -> Mapping[str, Any]:
    """One department, of those in the caller's scope."""
    scope = asked.scope
    return {"department": details(asked.state, scope, _seen(asked, scope, asked.required_number("id")))}


def details(state: SandboxState, scope: Scope, department: Department) -> dict[str, Any]:
    """A department as department/list shows it; its leaders are those who are marked there."""
    return {
        "id": department.id,
        "name": department.name,
        **({"name_en": department.name_en} if state.is_multilingual else {}),
        "department_leader": list(_leaders(scope.directory, department)),
        "parentid": department.parentid,
        "order": department.order,
    }


def _leaders(directory: Directory, department: Department) -> Iterator[str]:
    for key in department.members:
        member = directory.members[key]
        if member.is_leader_in_dept[member.department.index(department.id)]:
            yield member.userid


def _subtree(asked: Asked, scope: Scope) -> Iterator[Department]:
    """From the department that was asked for down; without one, all that the caller sees."""
    id = asked.number("id")
    if id:
        return asked.directory.walk(_seen(asked, scope, id))
    everything = asked.directory.walk(asked.directory.departments[ROOT])
    if scope.is_everything:
        return everything
    return (department for department in everything if scope.sees_department(department.id))


def _seen(asked: Asked, scope: Scope, id: int) -> Department:
    department = _department(asked, id)
    if not scope.sees_department(id):
        raise Refusal(60011)
    return department


def _department(asked: Asked, id: int) -> Department:
    department = asked.directory.departments.get(id)
    if department is None:
        raise Refusal(60003)
    return department


OPERATIONS: Final = (
    Operation(
        path="department/create",
        method="POST",
        permission=Permission.CONTACT_EDIT,
        carry_out=create,
        success="created",
        is_write=True,
    ),
    Operation(
        path="department/update",
        method="POST",
        permission=Permission.CONTACT_EDIT,
        carry_out=update,
        success="updated",
        is_write=True,
    ),
    Operation(
        path="department/delete",
        method="GET",
        permission=Permission.CONTACT_EDIT,
        carry_out=delete,
        success="deleted",
        is_write=True,
    ),
    Operation(
        path="department/list",
        method="GET",
        permission=Permission.DETAILS,
        carry_out=full_list,
        empties=("department",),
    ),
    Operation(
        path="department/simplelist",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=simplelist,
        empties=("department_id",),
    ),
    Operation(path="department/get", method="GET", permission=Permission.DETAILS, carry_out=get),
)
