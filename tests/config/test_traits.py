"""What of the config decides what a plan holds: every key of the sync and its sources, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.stage import settings_of
from wxsync.config.settings import Settings
from wxsync.config.traits import traits

LDAP = {
    "type": "ldap",
    "url": "ldaps://dc1.example.com",
    "bind_dn": "cn=wxsync",
    "bind_password": "very-secret-4711",
    "base_dn": "OU=Company,DC=example",
    "departments": "(objectClass=organizationalUnit)",
    "members": "(objectClass=user)",
    "names": {"emp_no": "employeeID"},
    "page_size": 7,
    "canaries": ["E1"],
}


def configured(source: dict[str, Any] | None = None, **sync: Any) -> Settings:
    settings = settings_of("postgresql://hr:geheim@db/hr", Path("/var/lib/wxsync/mirror.db"), **sync)
    document = settings.model_dump(mode="python")
    assert document
    if source is None:
        return settings
    return settings.model_copy(update={"source": {"hr": Settings.model_validate(
        {"mirror": {"url": "sqlite:////m.db"}, "source": {"hr": source}}
    ).source["hr"]}})  # fmt: skip


def test_every_key_that_is_set_is_there_by_its_path() -> None:
    """Of the mapping, the policy, the limits, the sources and the corp; not what was left out."""
    found = traits(configured(limits={"member_remove": 7}), "acme")
    assert found["corp.acme.corp_id"] == "ww5a6d626f78000001"
    assert found["source.hr.members"] == "SELECT * FROM employees"
    assert found["sync.acme.member.userid"] == "emp_no | lower"
    assert found["sync.acme.department.root"] == "code == 'HQ'"
    assert found["sync.acme.policy.clear_when_empty"] == '["alias", "position"]'
    assert found["sync.acme.limits.member_remove.max"] == "7"
    assert found["sync.acme.tags.干部"] == "grade >= 10"
    assert not [path for path in found if "member_create" in path or "protect" in path]


def test_a_key_at_its_default_is_as_one_that_is_left_out() -> None:
    """So a later version with more keys finds nothing changed."""
    assert traits(configured(policy={"strict_tags": False, "protect": []}), "acme") == traits(
        configured(), "acme"
    )


@pytest.mark.parametrize("source", [None, LDAP])
def test_no_secret_is_among_them(source: dict[str, Any] | None) -> None:
    """Neither a password of its own, nor one that stood in a URL, nor the corp's secret."""
    found = " ".join(traits(configured(source), "acme").values())
    for secret in ("very-secret-4711", "geheim", "sandbox-contact-secret"):
        assert secret not in found


def test_what_alters_no_plan_is_not_among_them() -> None:
    """How long to wait, in what portions to read, by what way to write, when to run."""
    found = traits(configured(LDAP, policy={"method": "single"}, schedule="0 5 * * *"), "acme")
    assert found["source.hr.base_dn"] == "OU=Company,DC=example"
    assert found["source.hr.names.emp_no"] == "employeeID"
    assert found["source.hr.url"] == '["ldaps://dc1.example.com"]'
    left_out = ("page_size", "canaries", "method", "schedule", "mode", "bind_password")
    assert [path for path in found if path.rpartition(".")[2] in left_out] == []
