"""A corp out of a file, and into one: what a sandbox was can be had again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from pydantic import ValidationError

from wxsync.config.problems import dotted
from wxsync.config.suggestions import did_you_mean
from wxsync.errors import ConfigError, WxsyncError
from wxsync.sandbox.dump_checks import contradictions, half_characters
from wxsync.sandbox.dump_format import (
    FORMAT,
    AppPart,
    CorpPart,
    DepartmentPart,
    Dump,
    MemberPart,
    Part,
    TagPart,
)
from wxsync.sandbox.fields import as_read
from wxsync.sandbox.member_rules import parse_attributes
from wxsync.sandbox.reads import attribute
from wxsync.sandbox.records import ROOT, Department, Member, Placement, fold
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

MOST_PROBLEMS: Final = 50
"""Told of one file; more would hide the first ones."""

PARTS: Final[dict[str, type[Part]]] = {
    "corp": CorpPart,
    "apps": AppPart,
    "departments": DepartmentPart,
    "members": MemberPart,
    "tags": TagPart,
}


def load_dump(path: Path) -> Dump:
    """The document in a file; `ConfigError` with every problem and its place where it is not good."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not in UTF-8 (byte {error.start})"]) from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError([f"{path}: is not JSON{where}"]) from None
    return parse_dump(data, name=str(path))


def parse_dump(data: object, *, name: str = "dump") -> Dump:
    """The same of a document that was read already; `name` stands before each problem."""
    problems = list(half_characters(data))
    if not problems:
        try:
            dump = Dump.model_validate(data)
        except ValidationError as error:
            problems = list(_shape_problems(error))
        else:
            problems = contradictions(dump)
            if not problems:
                return dump
    rest = len(problems) - MOST_PROBLEMS
    more = [f"{name}: and {rest} more"] if rest > 0 else []
    raise ConfigError([f"{name}: {problem}" for problem in problems[:MOST_PROBLEMS]] + more)


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for details in error.errors(include_url=False, include_input=False, include_context=False):
        path = details["loc"]
        if details["type"] == "extra_forbidden":
            known = PARTS.get(str(path[0]), Dump) if len(path) > 1 else Dump
            key = str(path[-1])
            yield f"{dotted(path)}: there is no such key.{did_you_mean(key, known.model_fields)}"
        else:
            yield f"{dotted(path) or 'the document'}: {details['msg']}"


# Document -> corp


def restore(dump: Dump) -> SandboxState:
    """A sandbox with the corp of the dump."""
    corp = dump.corp
    state = SandboxState(
        corp_id=corp.corp_id,
        corp_name=_root_name(dump),
        contact_secret=corp.contact_secret,
        contact_sync=corp.contact_sync,
        creator=corp.creator,
        legacy_ip=corp.legacy_ip,
        attributes=dict(corp.attributes),
        mail_domain=corp.mail_domain,
        verified_names=tuple(corp.verified_names),
        account_cap=corp.account_cap,
        apps=tuple(_app(part) for part in dump.apps),
    )
    _restore_departments(state, dump.departments)
    for part in dump.members:
        _restore_member(state, part)
    for part in dump.members:
        state.directory.set_leaders(state.member(part.userid), tuple(part.direct_leader))
    for tag in dump.tags:
        made = state.directory.add_tag(name=tag.tagname, owner=tag.owner, id=tag.tagid)
        users = tuple(fold(userid) for userid in tag.userlist)
        state.directory.tag(made, users, tuple(tag.partylist))
    return state


def _root_name(dump: Dump) -> str:
    roots = (department.name for department in dump.departments if department.id == ROOT)
    return next(roots, dump.corp.corp_name)


def _app(part: AppPart) -> App:
    return App(
        agent_id=part.agent_id,
        secret=part.secret,
        name=part.name,
        sees_sensitive=part.sees_sensitive,
        is_enabled=part.is_enabled,
        handles_customers=part.handles_customers,
        scope=tuple(part.scope),
        scope_members=tuple(part.scope_members),
        scope_tags=tuple(part.scope_tags),
    )


def _restore_departments(state: SandboxState, parts: Iterable[DepartmentPart]) -> None:
    """Parents before children, whatever the order of the rows."""
    below: dict[int, list[DepartmentPart]] = {}
    for part in parts:
        if part.id == ROOT:
            root = state.departments[ROOT]
            root.name_en, root.order = part.name_en, root.order if part.order is None else part.order
        else:
            below.setdefault(part.parentid, []).append(part)
    waiting = below.pop(ROOT, [])
    for part in waiting:
        state.directory.add_department(
            id=part.id, name=part.name, name_en=part.name_en, parentid=part.parentid, order=part.order
        )
        waiting.extend(below.pop(part.id, ()))


def _restore_member(state: SandboxState, part: MemberPart) -> None:
    directory, zeros = state.directory, (0,) * len(part.department)
    member = Member(
        userid=part.userid,
        name=part.name,
        alias=part.alias,
        position=part.position,
        gender=part.gender,
        telephone=part.telephone,
        address=part.address,
        english_name=part.english_name,
        external_position=part.external_position,
        external_profile=dict(part.external_profile),
        enable=_enable(part),
        extattr=parse_attributes(part.extattr),
        biz_mail_alias=tuple(part.biz_mail_alias),
        is_activated=part.status == 1 if part.is_activated is None else part.is_activated,
        openid=part.openid,
        has_left=part.status == 5,
        has_generated_userid=part.has_generated_userid,
        has_generated_biz_mail=part.has_generated_biz_mail,
    )
    directory.add_member(member)
    placement = Placement(
        tuple(part.department),
        tuple(part.order or zeros),
        tuple(part.is_leader_in_dept or zeros),
        part.main_department or part.department[0],
    )
    directory.place(member, placement)
    directory.set_mobile(member, as_read(part.mobile))
    directory.set_email(member, part.email)
    directory.set_biz_mail(member, part.biz_mail)


def _enable(part: MemberPart) -> int:
    if part.enable is not None:
        return part.enable
    return 0 if part.status == 2 else 1


# Corp -> document


def to_document(state: SandboxState) -> dict[str, Any]:
    """What `parse_dump` takes, with the counters. It holds secrets and people's data."""
    return {
        "format": FORMAT,
        "corp": {
            "corp_id": state.corp_id,
            "corp_name": state.departments[ROOT].name,
            "contact_secret": state.contact_secret,
            "contact_sync": state.contact_sync.value,
            "creator": state.creator if state.creator and fold(state.creator) in state.members else None,
            "legacy_ip": state.legacy_ip,
            "attributes": dict(state.attributes),
            "mail_domain": state.mail_domain,
            "verified_names": list(state.verified_names),
            "account_cap": state.account_cap,
        },
        "apps": [_app_row(state, app) for app in state.apps],
        "departments": [_department_row(d) for d in state.directory.walk(state.departments[ROOT])],
        "members": [_member_row(member) for member in state.members.values()],
        "tags": [
            {
                "tagid": tag.id,
                "tagname": tag.name,
                "owner": tag.owner,
                "userlist": [state.members[key].userid for key in tag.users],
                "partylist": list(tag.parties),
            }
            for tag in state.tags.values()
        ],
        "counters": state.counted(),
    }


def _app_row(state: SandboxState, app: App) -> dict[str, Any]:
    """Without what its range names and what is no more there."""
    return {
        "agent_id": app.agent_id,
        "secret": app.secret,
        "name": app.name,
        "sees_sensitive": app.sees_sensitive,
        "is_enabled": app.is_enabled,
        "handles_customers": app.handles_customers,
        "scope": [id for id in app.scope if id in state.departments],
        "scope_members": [userid for userid in app.scope_members if fold(userid) in state.members],
        "scope_tags": [id for id in app.scope_tags if id in state.tags],
    }


def _department_row(department: Department) -> dict[str, Any]:
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "parentid": department.parentid,
        "order": department.order,
    }


def _member_row(member: Member) -> dict[str, Any]:
    return {
        "userid": member.userid,
        "name": member.name,
        "department": list(member.department),
        "order": list(member.order),
        "is_leader_in_dept": list(member.is_leader_in_dept),
        "main_department": member.main_department,
        "direct_leader": list(member.direct_leader),
        "alias": member.alias,
        "mobile": member.mobile,
        "email": member.email,
        "biz_mail": member.biz_mail,
        "biz_mail_alias": list(member.biz_mail_alias),
        "position": member.position,
        "gender": member.gender,
        "telephone": member.telephone,
        "address": member.address,
        "english_name": member.english_name,
        "external_position": member.external_position,
        "external_profile": dict(member.external_profile),
        "extattr": {"attrs": [attribute(name, value) for name, value in member.extattr.items()]},
        "status": member.status,
        "enable": member.enable,
        "is_activated": member.is_activated,
        "openid": member.openid,
        "has_generated_userid": member.has_generated_userid,
        "has_generated_biz_mail": member.has_generated_biz_mail,
    }


def write_dump(state: SandboxState, path: Path) -> None:
    """The corp into a file that only its owner can read; a file of that name is replaced whole."""
    text = json.dumps(to_document(state), ensure_ascii=False, indent=1) + "\n"
    with telling(path):
        if path.exists() and not path.is_file():
            # /dev/stdout, or a pipe: nothing that could be replaced.
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path, text)


def _replace(path: Path, text: str) -> None:
    """Written beside its final place with mode 0600: a crash leaves the old file as it was."""
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
    ) as file:
        draft = Path(file.name)
        try:
            file.write(text)
            file.flush()
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def check_writable(path: Path) -> None:
    """`WxsyncError` where a dump could not be written, before anything else is done."""
    with telling(path):
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "is a directory")
        if not path.exists() or path.is_file():
            with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
                pass


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """What the system says of a file, as our own error."""
    try:
        yield
    except OSError as error:
        raise WxsyncError(
            f"cannot write {path}: {error.strerror}", hint="name another file with --dump"
        ) from error
