"""CSV files as a client makes them, their upload, and jobs from start to end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MEMBER_HEADER = (
    *("姓名", "帐号", "手机号", "邮箱", "所在部门", "职位", "性别", "是否部门内领导", "排序", "别名"),
    *("地址", "座机", "禁用", "禁用项说明：(0-启用;1-禁用)"),
)
PARTY_HEADER = ("部门名称", "部门ID", "父部门ID", "排序")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def member_table(*people: Mapping[str, object], header: Sequence[str] = MEMBER_HEADER) -> bytes:
    """A file of members; what a person lacks is an empty cell."""
    return table(header, [[person.get(name, "") for name in header] for person in people])


def person(userid: str, **cells: object) -> dict[str, object]:
    """A row that is good: somebody with an address in the root department."""
    names = {"name": "姓名", "department": "所在部门", "mobile": "手机号", "email": "邮箱"}
    given = {names.get(name, name): value for name, value in cells.items()}
    return {"姓名": "林梅", "帐号": userid, "邮箱": f"{userid}@example.com", "所在部门": "1", **given}


def upload(
    wecom: Any, content: bytes, *, kind: str = "file", name: str = "users.csv", token: str = ""
) -> Any:
    """media/upload; the whole answer."""
    params = {"access_token": token or wecom.token, "type": kind}
    return wecom.send("POST", "media/upload", params=params, files={"media": (name, content)}).json()


def start(wecom: Any, call: str, content: bytes, **fields: Any) -> Any:
    """Upload and start an import; the answer of the start."""
    media_id = upload(wecom, content)["media_id"]
    return wecom.post(f"batch/{call}", {"media_id": media_id, **fields})


def result(wecom: Any, clock: Any, jobid: str) -> Any:
    """The job's result once its time is over."""
    clock.now += 60
    return wecom.get("batch/getresult", jobid=jobid)


def run_job(wecom: Any, clock: Any, call: str, content: bytes, **fields: Any) -> Any:
    """An import from its upload to its result, without invitations unless asked for."""
    if call != "replaceparty":
        fields = {"to_invite": False, **fields}
    answer = start(wecom, call, content, **fields)
    assert answer["errcode"] == 0, answer
    return result(wecom, clock, answer["jobid"])


def codes(answer: Mapping[str, Any]) -> dict[Any, int]:
    """What became of each row: userid or partyid -> errcode."""
    return {row.get("userid", row.get("partyid")): row["errcode"] for row in answer["result"]}
