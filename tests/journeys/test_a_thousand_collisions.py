"""Numbers, addresses and names that change hands: never in wrong hands, be it for a moment."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.journeys.colliding import CONTACTS, a_morning, owners_of, populate, unjustified
from tests.journeys.crash import die_at
from tests.journeys.hr import FIRST_DAY
from tests.journeys.stage import described
from tests.journeys.story import Story, mobile
from wxsync.model.run import OutcomeState, RunState

WIDE = {"percent": 100, "floor": 1000, "max": 1000}
KINDS = ("member_remove", "member_update", "field_change", "department_move", "source_shrink")
LIMITS = dict.fromkeys(KINDS, WIDE)
FEW = 40
CASES = 1000
LEAVERS = ("disable", "delete", "keep")
METHODS = ("single", "single", "batch", "replace")


def policy_of(leavers: str, method: str) -> dict[str, object]:
    policy: dict[str, object] = {"leavers": leavers, "method": method}
    if method == "replace":
        policy |= {"method": "batch", "replace": True, "exclusive": True}
    return policy


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(tmp_path_factory.mktemp("office"), limits=LIMITS)
    populate(story)
    story.settle()
    story.stage.later(days=1)
    return story


def collide(loaded: Story, folder: Path, seed: int) -> str:
    """One morning, one apply: everybody has what is theirs, or is rejected with all who are in it."""
    chance = random.Random(seed)
    policy = policy_of(chance.choice(LEAVERS), chance.choice(METHODS))
    story = loaded.copy(folder / str(seed), policy=policy, limits=LIMITS)
    told = f"seed {seed}: {policy} {a_morning(story, chance)}"
    today = FIRST_DAY + (story.stage.now - loaded.stage.now)
    owners = owners_of(story, today)
    story.wecom.on_call = owners
    run = story.apply()
    story.wecom.on_call = None
    assert owners.found == [], told
    assert run.state is RunState.APPLIED, told
    assert {outcome.state for outcome in run.outcomes} <= {OutcomeState.DONE}, told
    assert list(unjustified(owners, run.plan.rejected)) == [], told
    rejected = {str(row.key).lower() for row in run.plan.rejected}
    for userid, row in owners.wanted.items():
        member = story.wecom.members.get(userid)
        if userid in rejected:
            had = owners.before.get(userid)
            assert had is None or member is not None, told
            continue
        assert member is not None, told
        for name in CONTACTS:
            wanted = getattr(row, name)
            assert wanted is None or getattr(member, name) == wanted, f"{told}: {userid} {name}"
    for id, (_, _, _, name, above) in owners.units.items():
        assert (story.wecom.departments[id].name, story.wecom.departments[id].parentid) == (name, above), told
    assert described(story.stage.plan().plan.writes) == [], told
    if not rejected and policy["leavers"] == "disable":
        story.check()
    return "rejected" if rejected else "converged"


def test_forty_collisions(loaded: Story, tmp_path: Path) -> None:
    """Some of the thousand, of both ends."""
    ends = Counter(collide(loaded, tmp_path, seed) for seed in range(FEW))
    assert ends["converged"] > FEW // 3
    assert ends["rejected"] > FEW // 10


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_a_thousand_collisions(loaded: Story, tmp_path: Path, part: int) -> None:
    """All of them."""
    ends = Counter(collide(loaded, tmp_path, seed) for seed in range(part, CASES, 10))
    assert ends.total() == CASES // 10


# The userid of somebody who was deleted


@pytest.mark.parametrize("method", ["single", "batch", "replace"])
@pytest.mark.parametrize("case", ["by_name", "other_case"])
def test_the_userid_of_somebody_deleted_is_nobody_elses(tmp_path: Path, method: str, case: str) -> None:
    """Made from the name, and written in other letters: whoever has another key is rejected, by name."""
    policy = policy_of("delete", method)
    member = {"userid": "full_name | pinyin"} if case == "by_name" else {"userid": "alias", "alias": "''"}
    story = Story(tmp_path, policy=policy, limits=LIMITS, member=member)
    for number in range(1, 5):
        story.person(f"E{number}", full_name=f"{'甲乙丙丁'[number - 1]}林", alias=f"user{number}")
    story.settle_beside_strangers()
    had = {each.mobile: userid for userid, each in story.wecom.members.items()}
    userid = had[mobile(1)]
    story.goes("E1")
    story.settle_beside_strangers()
    assert userid not in story.wecom.members
    story.person("E9", full_name="甲林", alias="USER1")
    run = story.apply()
    assert [(row.key, row.field, row.rule) for row in run.plan.rejected] == [
        ("E9", "userid", "userid_reused")
    ]
    assert "E1" in str(run.plan.rejected[0].problem)
    assert userid not in story.wecom.members
    assert mobile(9) not in story.mobiles().values()


def test_nor_after_the_run_that_deleted_them_was_cut_off(tmp_path: Path) -> None:
    """The process dies right after the deletion: the next run finds them gone, and keeps the userid."""
    story = Story(tmp_path, policy={"leavers": "delete"}, member={"userid": "alias", "alias": "''"})
    for number in range(1, 5):
        story.person(f"E{number}", alias=f"user{number}")
    story.settle_beside_strangers()
    story.goes("E1")
    story.save()
    assert die_at(story.stage, 0, is_after=True)
    story.person("E9", alias="User1")
    for _ in range(2):
        run = story.apply()
        assert [(row.key, row.rule) for row in run.plan.rejected] == [("E9", "userid_reused")]
        assert "user1" not in story.wecom.members
