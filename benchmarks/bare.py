"""The bare cost: the same rows and ids, read by the same drivers, and nothing made of them.

`bare.py CONFIG`: the source's queries and the mirror's links through sqlite3, WeCom's lists through httpx.
"""

from __future__ import annotations

import sqlite3
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.spent import spending

LINKS = (
    "SELECT * FROM department_links",
    "SELECT * FROM member_links",
    "SELECT * FROM tag_links",
    "SELECT * FROM tag_members",
)
QUERIES = ("departments", "members", "memberships", "tags")


def main(config: Path) -> None:
    settings = tomllib.loads(config.read_text(encoding="utf-8"))
    with spending() as facts:
        source = _rows(config.parent / "hr.db", [settings["source"]["hr"][query] for query in QUERIES])
        mirror = _rows(config.parent / "mirror.db", LINKS)
        wecom = _wecom(settings["corp"]["bench"])
        facts["rows"] = sum(len(rows) for rows in (*source, *mirror)) + len(wecom)


def _rows(database: Path, queries: Sequence[str]) -> list[list[Any]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return [connection.execute(query).fetchall() for query in queries]
    finally:
        connection.close()


def _wecom(corp: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with httpx.Client(base_url=corp["base_url"] + "/cgi-bin", trust_env=False) as client:
        query = {"corpid": corp["corp_id"], "corpsecret": corp["contact_secret"]}
        token = {"access_token": client.get("gettoken", params=query).json()["access_token"]}
        rows += client.get("department/simplelist", params=token).json()["department_id"]
        page: dict[str, Any] = {"limit": 10_000}
        while True:
            answer = client.post("user/list_id", params=token, json=page).json()
            rows += answer["dept_user"]
            if not answer["next_cursor"]:
                break
            page["cursor"] = answer["next_cursor"]
        for tag in client.get("tag/list", params=token).json()["taglist"]:
            rows += client.get("tag/get", params={**token, "tagid": tag["tagid"]}).json()["userlist"]
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]))
