"""HR in a database and a directory that calls HR's number otherwise: one sync, joined by one key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.stage import POLICY, Stage, described, failures
from tests.servers import samba, slapd
from tests.sources import shapes
from tests.sources.rows import write_tables
from wxsync.config.settings import Settings
from wxsync.mirror import journal
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.report.as_json import plan_document

NUMBERS = ("E1", "E2", "E3", "E4")


@dataclass
class Told:
    """What the directory is told, on either kind of server."""

    server: slapd.SlapdServer | samba.Samba
    base: str
    login: str
    number: str
    """The attribute that has HR's number."""
    outside: str

    def source(self) -> dict[str, Any]:
        if isinstance(self.server, samba.Samba):
            source = shapes.samba_source(self.server, groups="(objectClass=group)")
        else:
            source = shapes.openldap_source(self.server, groups="(objectClass=groupOfNames)")
        return {**source, "names": {"emp_no": self.number.upper(), "account": self.login}}

    def dn(self, login: str, place: str = "") -> str:
        first = "CN" if isinstance(self.server, samba.Samba) else "uid"
        return f"{first}={login},{place or self.base}"

    def load(self, *records: shapes.Record) -> None:
        if isinstance(self.server, samba.Samba):
            self.server.load(records)
        else:
            self.server.add(records)

    def person(self, login: str, number: str | None, place: str = "", **more: str) -> None:
        make = shapes.user if isinstance(self.server, samba.Samba) else shapes.person
        known = {} if number is None else {self.number: number}
        self.load(make(login, place or self.base, **known, **more))

    def group(self, name: str, *members: str) -> None:
        make = shapes.ad_group if isinstance(self.server, samba.Samba) else shapes.group
        self.load(make(name, *members))

    def modify(self, dn: str, attribute: str, value: str) -> None:
        self.server.change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


@pytest.fixture(params=["openldap", "active directory"])
def directory(request: pytest.FixtureRequest) -> Told:
    """Both kinds of servers; the number is in employeeNumber of one and in employeeID of the other."""
    if request.param == "openldap":
        server = request.getfixturevalue("make_slapd")(
            [shapes.unit(shapes.BASE), shapes.unit(shapes.OUTSIDE)]
        )
        return Told(server, shapes.BASE, "uid", "employeeNumber", shapes.OUTSIDE)
    server = request.getfixturevalue("make_samba")([shapes.unit(shapes.AD_BASE)])
    return Told(server, shapes.AD_BASE, "sAMAccountName", "employeeID", shapes.USERS)


@dataclass
class Hr:
    """HR's own database."""

    file: Path
    people: dict[str, str]
    """Number -> status."""

    def save(self) -> None:
        self.file.unlink(missing_ok=True)
        rows = [
            {"emp_no": number, "full_name": f"员工{number}", "dept_code": "D1", "status": status}
            for number, status in self.people.items()
        ]
        departments = [{"code": "D1", "parent_code": None, "name": "研发部"}]
        write_tables(self.file, {"departments": departments, "employees": rows})


@pytest.fixture
def hr(tmp_path: Path) -> Hr:
    return Hr(tmp_path / "hr.db", dict.fromkeys(NUMBERS, "active"))


@pytest.fixture
def stage(hr: Hr, directory: Told, tmp_path: Path) -> Stage:
    """The mapping speaks of emp_no alone; account, mail, phone and leader are the directory's."""
    source = {
        "type": "sql",
        "url": f"sqlite:///{hr.file}",
        "departments": "SELECT * FROM departments",
        "members": "SELECT * FROM employees",
    }
    sync = {
        "corp": "acme",
        "sources": ["hr", "ad"],
        "mode": "apply",
        "department": {"key": "code", "parent": "parent_code", "name": "name"},
        "member": {
            "key": "emp_no",
            "userid": "account",
            "name": "full_name",
            "departments": "dept_code",
            "mobile": "mobile",
            "email": "mail",
            "direct_leader": "manager",
            "active": "status == 'active'",
        },
        "policy": dict(POLICY),
    }
    data = {
        "mirror": {"url": f"sqlite:///{tmp_path / 'mirror.db'}"},
        "corp": {
            "acme": {
                "corp_id": "ww5a6d626f78000001",
                "base_url": "https://wecom.test",
                "contact_secret": "sandbox-contact-secret",
            }
        },
        "source": {"hr": source, "ad": directory.source()},
        "sync": {"acme": sync},
    }
    for n, number in enumerate(NUMBERS):
        manager = {} if n == 0 else {"manager": directory.dn("u1")}
        directory.person(
            f"u{n + 1}", number, mail=f"u{n + 1}@example.com", mobile=f"1380000000{n}", **manager
        )
    hr.save()
    return Stage(Settings.model_validate(data))


def told(stage: Stage) -> dict[str, tuple[str, str, str, tuple[str, ...]]]:
    return {
        each.userid: (each.name, each.email, each.mobile, tuple(each.direct_leader))
        for each in stage.state.members.values()
        if each.enable
    }


def test_one_key_joins_both(stage: Stage, hr: Hr, directory: Told) -> None:
    """Everybody gets what the directory knows; the second plan is empty; a day in both comes over."""
    assert failures(stage.apply()) == []
    assert told(stage) == {
        "u1": ("员工E1", "u1@example.com", "13800000000", ()),
        "u2": ("员工E2", "u2@example.com", "13800000001", ("u1",)),
        "u3": ("员工E3", "u3@example.com", "13800000002", ("u1",)),
        "u4": ("员工E4", "u4@example.com", "13800000003", ("u1",)),
    }
    assert described(stage.plan().plan.writes) == []

    stage.later(days=1)
    directory.modify(directory.dn("u2"), "mail", "neu@example.com")
    directory.person("u5", "E5", mail="u5@example.com", mobile="13800000004")
    hr.people |= {"E3": "left", "E5": "active"}
    hr.save()
    assert failures(stage.apply()) == []
    after = told(stage)
    assert set(after) == {"u1", "u2", "u4", "u5"}
    assert (after["u2"][1], after["u5"][1]) == ("neu@example.com", "u5@example.com")
    assert described(stage.plan().plan.writes) == []


def test_who_is_in_a_group_and_not_in_hr(stage: Stage, directory: Told) -> None:
    """Out of the tag, counted in the plan by the tag's name, and in the run that is on record."""
    directory.person("visitor", "E9", mail="visitor@example.com", mobile="13800000009")
    directory.person("robot", None)
    directory.person("far", "E2", directory.outside)
    far = directory.dn("far", directory.outside)
    directory.group("VPN", *(directory.dn(login) for login in ("u1", "u2", "visitor")), far)
    directory.group("Only", directory.dn("visitor"))
    settings = stage.settings.source["ad"]
    sources = {**stage.settings.source, "ad": settings.model_copy(update={"members": with_number(directory)})}
    stage.settings = stage.settings.model_copy(update={"source": sources})
    run = stage.apply()
    assert failures(run) == []
    assert {each.name: set(each.users) for each in stage.state.tags.values()} == {
        "VPN": {"u1", "u2"},
        "Only": set(),
    }
    document = plan_document(run.plan)
    groups = [{"name": "VPN", "count": 2}, {"name": "Only", "count": 1}]
    assert document["left_out"] == [{"source": "ad", "query": "tags", "count": 2, "groups": groups}]
    assert [each["keys"] for each in document["unmatched"]] == [["E9"]]
    store = Store(prepare(stage.settings.mirror.full_url))
    with store.reading() as connection:
        history = journal.run(connection, run.id)
    store.close()
    assert history is not None
    assert json.loads(str(history.document))["left_out"] == document["left_out"]


def with_number(directory: Told) -> str:
    return f"(&(objectClass=person)({directory.number}=*))"
