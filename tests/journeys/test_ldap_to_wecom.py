"""From a real directory to WeCom: first load, a day, renamed and moved units, a new login."""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

import pytest

from tests.journeys.directory import (
    REFINT,
    ActiveDirectory,
    Company,
    Directory,
    OpenLdap,
    Path,
    Person,
    departments_of,
    members_of,
    tags_of,
)
from tests.journeys.stage import POLICY, Stage, described
from wxsync.config.checks import with_ldap_defaults
from wxsync.config.settings import Settings
from wxsync.model.change import Reason

TOPS = ("研发", "Sales", "生产", "Office, Law + Order")
UNITS: list[Path] = [(top,) for top in TOPS] + [("研发", name) for name in ("平台", "应用", "一组")]
UNITS += [("研发", "平台", "数据"), ("生产", "一厂"), ("生产", "二厂"), ("Sales", "华东"), ("Sales", "华南")]
PEOPLE = 200
BIG: Path = ("生产", "一厂")
"""Fifty people work there."""


@pytest.fixture(params=["openldap", "active directory"])
def directory(request: pytest.FixtureRequest) -> Directory:
    """Both kinds of servers, empty."""
    if request.param == "openldap":
        return OpenLdap(request.getfixturevalue("make_slapd")([], overlays=REFINT))
    return ActiveDirectory(request.getfixturevalue("make_samba")())


@pytest.fixture
def company(directory: Directory) -> Company:
    """Two hundred people in twelve units, each led by the first of their unit; four groups, some nested."""
    others = [unit for unit in UNITS if unit != BIG]
    units = [BIG if number < 50 else others[number % len(others)] for number in range(PEOPLE)]
    heads: dict[Path, int] = {}
    people = []
    for number, unit in enumerate(units):
        head = heads.setdefault(unit, number)
        manager = None if head == number else head
        people.append(Person(number=number, login=f"u{number:03d}", unit=unit, manager=manager))
    groups = {
        "干部": set(heads.values()),
        "早班": set(range(0, 40, 2)),
        "VPN": set(range(100, 120)),
    }
    company = Company(directory)
    company.found(UNITS, people, groups, {"VPN": "早班", "早班": "VPN"})
    return company


def staged(company: Company, folder: File, **member: str) -> Stage:
    """The least config: the mapping has defaults for everything else."""
    mapping = {
        **company.directory.member(),
        "mobile": "mobile",
        "position": "title",
        "direct_leader": "manager",
        "active": "not disabled and not expired",
        **member,
    }
    data: dict[str, Any] = {
        "mirror": {"url": f"sqlite:///{folder / 'mirror.db'}"},
        "corp": {
            "acme": {
                "corp_id": "ww5a6d626f78000001",
                "base_url": "https://wecom.test",
                "contact_secret": "sandbox-contact-secret",
            }
        },
        "source": {"directory": company.directory.source()},
        "sync": {
            "acme": {
                "corp": "acme",
                "sources": ["directory"],
                "mode": "apply",
                "department": {"root": "parent_dn is none"},
                "member": mapping,
                "policy": dict(POLICY),
            }
        },
    }
    return Stage(Settings.model_validate(with_ldap_defaults(data)))


def check(stage: Stage, company: Company) -> None:
    """WeCom holds what the directory says, and the plan is empty."""
    assert set(departments_of(stage.state)) == company.departments()
    assert members_of(stage.state) == company.members()
    assert tags_of(stage.state) == company.tags()
    assert described(stage.plan().plan.writes) == []


def test_a_first_load_and_a_day(company: Company, tmp_path: File) -> None:
    """Everybody is there with leader, place and tags; a day comes over; each second plan is empty."""
    stage = staged(company, tmp_path)
    stage.settle()
    check(stage, company)
    assert len(members_of(stage.state)) == PEOPLE

    stage.later(days=1)
    company.open_unit(("研发", "二组"))
    company.hire(Person(number=300, login="u300", unit=("研发", "二组"), title="新人", manager=1))
    company.hire(Person(number=301, login="u301", unit=()))
    company.promote(60, "经理")
    company.move(61, ("Office, Law + Order",))
    company.give_manager(62, 300)
    company.dismiss(63)
    company.switch_off(64)
    company.join("VPN", 65)
    company.leave("VPN", 100)
    stage.settle()
    check(stage, company)
    assert {each.userid for each in stage.state.members.values() if not each.enable} == {"u063", "u064"}


def test_a_renamed_unit(company: Company, tmp_path: File) -> None:
    """One update of one department: its id, and everything of the fifty people in it, stays."""
    stage = staged(company, tmp_path)
    stage.settle()
    before = departments_of(stage.state)
    company.rename_unit(BIG, "新一厂")
    (change,) = stage.plan().plan.writes
    assert (str(change.verb), str(change.kind), list(change.fields)) == ("update", "department", ["name"])
    stage.settle()
    check(stage, company)
    after = departments_of(stage.state)
    assert after[("生产", "新一厂")] == before[BIG]
    assert set(after.values()) == set(before.values())
    assert sum(each[3] == ("生产", "新一厂") for each in members_of(stage.state).values()) == 50


def test_a_moved_unit(company: Company, tmp_path: File) -> None:
    """One update of one department, with all that is below it: nobody and nothing is deleted or made."""
    stage = staged(company, tmp_path)
    stage.settle()
    before = departments_of(stage.state)
    company.move_unit(BIG, ("研发",))
    company.move_unit(("研发", "平台"), ())
    changes = stage.plan().plan.writes
    found = sorted((str(each.verb), str(each.kind), list(each.fields)) for each in changes)
    assert found == [("update", "department", ["parent"])] * 2
    stage.settle()
    check(stage, company)
    after = departments_of(stage.state)
    assert after[("研发", "一厂")] == before[BIG]
    assert after[("平台", "数据")] == before[("研发", "平台", "数据")]
    assert set(after.values()) == set(before.values())


def test_a_new_login(company: Company, tmp_path: File) -> None:
    """WeCom cannot change a userid: the person keeps it with everything else, and every plan says so."""
    stage = staged(company, tmp_path)
    stage.settle()
    company.give_login(60, "renamed")
    plan = stage.plan().plan
    assert described(plan.writes) == []
    (kept,) = (change for change in plan.changes if change.reason is Reason.FOREIGN)
    assert (kept.id, kept.fields["userid"].after) == ("u060", "renamed")
    stage.settle()
    check(stage, company)


def test_a_new_login_where_it_is_the_key(company: Company, tmp_path: File) -> None:
    """A mapping that takes the login for the key says that this is somebody else: one leaves, one comes."""
    login = company.directory.member()["userid"]
    stage = staged(company, tmp_path, key=login, mobile="none", email=f"{login} ~ '@example.com'")
    stage.settle()
    company.give_login(60, "renamed")
    changes = sorted((str(each.verb), each.id) for each in stage.plan().plan.writes if each.kind == "member")
    assert ("create", "renamed") in changes
    assert ("disable", "u060") in changes
    stage.settle()
    assert not stage.state.members["u060"].enable
    assert stage.state.members["renamed"].enable


def test_a_new_login_that_is_the_key_beside_a_number_that_stays(company: Company, tmp_path: File) -> None:
    """Name and number say that it is the same person: nobody leaves, nobody comes, and the plan asks."""
    login = company.directory.member()["userid"]
    stage = staged(company, tmp_path, key=login)
    stage.settle()
    company.give_login(60, "renamed")
    run = stage.apply()
    assert described(run.plan.writes) == []
    (kept,) = (change for change in run.plan.changes if change.id == "u060")
    assert (kept.reason, kept.why.facts) == (Reason.REJECTED, {"key": "renamed", "fields": "name, mobile"})
    assert [(row.key, row.rule) for row in run.plan.rejected] == [("renamed", "taken")]
    assert stage.state.members["u060"].enable
    assert "renamed" not in stage.state.members
