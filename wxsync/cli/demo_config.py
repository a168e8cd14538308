"""The config file of `wxsync demo`, as somebody would write it for a database of their own."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Final

from wxsync.cli.demo_company import COMPANY_CODE, MANAGERS_FROM, TAGS
from wxsync.model.message import say
from wxsync.report.locale import translate

HR: Final = "hr.db"
CONFIG: Final = "wxsync.toml"
MIRROR: Final = "mirror.db"
REPORT: Final = "plan.html"

SYNC: Final = "demo"
RULE_TAG: Final = "管理层"
TAG_COUNT: Final = len(TAGS) + 1

TEXT: Final = Template("""\
# $title

# $mirror
[mirror]
url = "sqlite:///$MIRROR"

[service]
language = "$LANGUAGE"

# $corp
[corp.$SYNC]
corp_id = "$CORP_ID"
contact_secret = "$SECRET"
base_url = "$BASE_URL"

# $source
[source.hr]
type = "sql"
url = "sqlite:///$HR"
departments = "SELECT code, parent_code, name, sort FROM departments"
members = "SELECT * FROM employees"
memberships = "SELECT emp_no, dept_code, is_leader FROM employee_departments"
tags = "SELECT tag, emp_no FROM employee_tags"

[sync.$SYNC]
corp = "$SYNC"
sources = ["hr"]
# $mode
mode = "plan"

# $mapping
[sync.$SYNC.department]
key = "code"
parent = "parent_code"
name = "name"
order = "sort"
root = "code == '$ROOT'"

[sync.$SYNC.member]
key = "emp_no"
userid = "emp_no | lower"
name = "full_name"
departments = "dept_code"
mobile = "mobile"
email = "email"
position = "title"
direct_leader = "manager_no"
active = "status == 'active'"
starts = "hire_date | date"

# $tags
[sync.$SYNC.tags]
"$RULE_TAG" = "grade >= $GRADE"

# $policy
[sync.$SYNC.policy]
leavers = "disable"
empty_departments = "delete"
adopt = ["userid"]
protect = ["$ADMIN"]
""")


def config_text(*, base_url: str, corp_id: str, contact_secret: str, admin: str, language: str) -> str:
    """The whole file, with its comments in the language."""
    facts = {
        "LANGUAGE": language,
        "CORP_ID": corp_id,
        "SECRET": contact_secret,
        "BASE_URL": base_url,
        "ADMIN": admin,
        "HR": HR,
        "MIRROR": MIRROR,
        "SYNC": SYNC,
        "ROOT": COMPANY_CODE,
        "RULE_TAG": RULE_TAG,
        "GRADE": str(MANAGERS_FROM),
    }
    return TEXT.substitute(_comments(language), **facts)


def _comments(language: str) -> Mapping[str, str]:
    said = {
        "title": say("The config of wxsync demo; config.example.toml explains every key."),
        "mirror": say("What wxsync remembers of WeCom."),
        "corp": say(
            "The local WeCom. For a real one: its corp_id, no base_url, and contact_secret = "
            '"env:WXSYNC_CONTACT_SECRET" (or "file:PATH").'
        ),
        "source": say("The HR database: put your own url and queries here."),
        "mode": say("What wxsync serve would do by itself: only report."),
        "mapping": say("Left: the field in WeCom. Right: a column of your query, or an expression over it."),
        "tags": say("Tags by rule; the others come from the tags query."),
        "policy": say("Nobody is deleted: who leaves is disabled."),
    }
    return {name: translate(message, language) for name, message in said.items()}
