"""Groups that empty, and people who are moved out of sight: what becomes of tags, and what the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.journeys.directory import deleted, renamed
from tests.journeys.ldap import MEMBER, LdapStory, ldap_story
from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.directory import company, person
from tests.sources.shapes import BASE, OUTSIDE, group, unit
from wxsync.model.change import Verb

PEOPLE = 12
BY_ID = {**MEMBER, "key": "entryUUID"}
NOBODY = f"uid=nobody,{OUTSIDE}"


def story_of(folder: Path, server: SlapdServer, **settings: Any) -> LdapStory:
    member = settings.pop("member", MEMBER)
    story = ldap_story(folder, server.url, member=member)
    story.read_from(server.url, groups="(objectClass=groupOfNames)", **settings)
    assert story.apply().code == 0
    return story


def dns(*numbers: int) -> Sequence[str]:
    return [person(number)[0] for number in numbers]


def tags(story: LdapStory) -> dict[str, int]:
    return {name: len(users) for name, users in story.wecom().tags}


def test_a_group_that_empties_keeps_its_tag(make_slapd: MakeSlapd, tmp_path: Path) -> None:
    """Its people leave it, the tag stays; it fills again, and is dropped only with the group itself."""
    server = make_slapd(
        [
            *company(PEOPLE),
            group("vpn", *dns(1, 2)),
            group("all", *dns(*range(PEOPLE))),
            group("none", NOBODY),
        ]
    )
    vpn = f"cn=vpn,{BASE}"
    story = story_of(tmp_path, server)
    (id_,) = (each.id for each in story.stage.state.directory.tags.values() if each.name == "vpn")
    assert tags(story) == {"vpn": 2, "all": PEOPLE}, "of a group with nobody no tag is made"

    server.change(f"dn: {vpn}\nchangetype: modify\nreplace: member\nmember: {NOBODY}\n")
    assert story.apply().code == 0
    assert tags(story) == {"vpn": 0, "all": PEOPLE}
    assert story.stage.plan().plan.writes == ()

    server.change(f"dn: {vpn}\nchangetype: modify\nreplace: member\nmember: {dns(3)[0]}\n")
    assert story.apply().code == 0
    assert tags(story) == {"vpn": 1, "all": PEOPLE}
    assert story.stage.state.directory.tags[id_].name == "vpn"

    server.change(deleted(vpn))
    assert story.apply().code == 0
    assert tags(story) == {"all": PEOPLE}


def test_the_only_group_that_empties_wants_an_approval(make_slapd: MakeSlapd, tmp_path: Path) -> None:
    """Two places of two are all that there were: so looks a right that was taken away."""
    server = make_slapd([*company(PEOPLE), group("vpn", *dns(1, 2))])
    story = story_of(tmp_path, server)
    server.change(f"dn: cn=vpn,{BASE}\nchangetype: modify\nreplace: member\nmember: {NOBODY}\n")
    ended = story.apply()
    assert ended.code == 4
    assert "source_shrink (hr.tags): 2, allowed 0" in str(ended.error)
    assert tags(story) == {"vpn": 2}


def reasons(story: LdapStory) -> dict[object, str]:
    changes = story.stage.plan().plan.changes
    return {each.id: str(each.why) for each in changes if each.verb is Verb.DISABLE}


def test_the_plan_says_where_somebody_is_by_now(make_slapd: MakeSlapd, tmp_path: Path) -> None:
    """Moved out of base_dn, or no longer found by `members`: they leave, and are not called gone."""
    server = make_slapd([*company(PEOPLE), unit(OUTSIDE)])
    filter_ = "(&(objectClass=inetOrgPerson)(!(title=robot)))"
    story = story_of(tmp_path, server, member=BY_ID, members=filter_)
    server.change(renamed(dns(1)[0], "uid=u00001", above=OUTSIDE))
    server.change(f"dn: {dns(2)[0]}\nchangetype: modify\nreplace: title\ntitle: robot\n")
    server.change(deleted(dns(3)[0]))
    assert reasons(story) == {
        "u00001": f"no longer below base_dn; the directory still has it in {OUTSIDE}",
        "u00002": f"no longer found by members, though the directory still has it in ou=Works,{BASE}",
        "u00003": "no longer in the source",
    }
    assert story.apply().code == 0
    assert reasons(story) == {}


def test_by_another_key_nobody_is_looked_for_everywhere(make_slapd: MakeSlapd, tmp_path: Path) -> None:
    """A number may be somebody else's in another part of the directory."""
    server = make_slapd([*company(PEOPLE), unit(OUTSIDE)])
    story = story_of(tmp_path, server)
    server.change(renamed(dns(1)[0], "uid=u00001", above=OUTSIDE))
    assert reasons(story) == {"u00001": "no longer in the source"}
