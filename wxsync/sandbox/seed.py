"""Fills a corp with people, departments and tags: all generated, the same for the same seed."""

from __future__ import annotations

import random
from typing import Final

from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState

SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余"
    "叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段"
    "雷黎史龙陶贺顾毛郝龚邵万钱严覃武莫孔汤常"
)
GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂兰英华玉梅红建文斌波辉婷雪慧颖琳佳欣"
    "怡子涵宇轩浩然梓萱诗晨思雨一诺若曦嘉俊熙宁安康"
)
UNITS: Final = tuple("研发 产品 市场 销售 财务 人事 法务 采购 物流 客服 质量 行政".split())
POSITIONS: Final = tuple("工程师 高级工程师 经理 主管 专员 助理 总监 顾问".split())
TAGS: Final = tuple("新员工 管理层 内训师 急救员 志愿者 值班 工会 消防员 导师 骑行队".split())


def chinese_name(chance: random.Random) -> str:
    """A surname and one or two characters."""
    return chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))


def fill_corp(
    state: SandboxState,
    *,
    members: int = 100,
    departments: int = 10,
    tags: int = 3,
    seed: int = 1,
    prefix: str = "u",
) -> None:
    """People by the userids `u00001`, …, in a tree of departments, with phone numbers and addresses.

    Most have activated. Tags are made as if in the console. Numbers and addresses are unique
    within one call; a second call wants another prefix and seed.
    """
    chance = random.Random(seed)
    ids = _departments(state, departments, chance)
    userids = [f"{prefix}{number:05d}" for number in range(1, members + 1)]
    for number, userid in enumerate(userids, 1):
        member = state.add_member(
            userid,
            chinese_name(chance),
            department=sorted(set(chance.choices(ids, k=chance.choice((1, 1, 1, 2))))),
            mobile=f"139{(seed * 1_000_003 + number) % 100_000_000:08d}",
            email=f"{userid}@example.com",
            is_activated=chance.random() < 0.8,
        )
        member.position = chance.choice(POSITIONS)
        member.gender = chance.choice("12")
    for number in range(tags):
        name = TAGS[number] if number < len(TAGS) else f"标签{number + 1}"
        state.add_tag(name, chance.sample(userids, k=min(len(userids), 10)))


def _departments(state: SandboxState, count: int, chance: random.Random) -> list[int]:
    """So many departments, at most five levels below the root; their ids, or the root's if none."""
    depth = {ROOT: 0}
    made: list[int] = []
    for number in range(count):
        parent = chance.choice([id for id, level in depth.items() if level < 5])
        name = f"{UNITS[number % len(UNITS)]}{number // len(UNITS) + 1}部"
        department = state.add_department(name, parent)
        depth[department.id] = depth[parent] + 1
        made.append(department.id)
    return made or [ROOT]
