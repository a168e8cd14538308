"""The corp of docs/adopting.md: made by hand in the sandbox, with its HR database and config beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from wxsync.sandbox.state import SandboxState

PEOPLE = (
    ("zhang.wei", "张伟", "研发部", "13800000001"),
    ("li.na", "李娜", "研发部", "13800000002"),
    ("wang.fang", "王芳", "市场部", "13800000003"),
    ("chen.jie", "陈杰", "市场部", "13800000004"),
    ("boss", "创建者", None, "13800000005"),
    ("guest", "访客", None, "13800000006"),
)
"""userid, name, department, phone number."""


def make_by_hand(state: SandboxState) -> None:
    """Two departments, six people and a tag, as somebody entered them in the admin console."""
    ids = {name: state.add_department(name).id for name in ("研发部", "市场部")}
    for userid, name, department, mobile in PEOPLE:
        place = [1] if department is None else [ids[department]]
        state.add_member(userid, name, department=place, mobile=mobile, email=f"{userid}@example.com")
    state.add_tag("党员", ["zhang.wei"])


def write_files(folder: Path, config: str, rows: str, base_url: str) -> None:
    """The config and the HR database of the document, with the sandbox's address."""
    with closing(sqlite3.connect(folder / "hr.db")) as database:
        database.executescript(rows)
    path = folder / "wxsync.toml"
    path.write_text(config.replace("https://qyapi.weixin.qq.com", base_url), "utf-8")
    path.chmod(0o600)
