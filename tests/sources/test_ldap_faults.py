"""Whatever happens to a directory while it is read: nobody is lost in WeCom by it.

Every story begins with a company that is in WeCom. Then one thing goes wrong, and `wxsync apply` is run.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.ldap import DEPARTMENT, MEMBER, Ended, LdapStory, Shown, ldap_story
from tests.servers.certificates import Authority
from tests.servers.proxy import Proxy, run_proxy
from tests.servers.slapd import READER, SUFFIX, MakeSlapd, SlapdServer, run_slapds
from tests.sources.directory import BASE, Person, company, ldap_source, person
from tests.sources.directory import PEOPLE as MAPPED
from tests.sources.shapes import group
from wxsync.errors import IncompleteReadError, SourceError, SourceUnavailableError
from wxsync.model.change import Kind, Reason
from wxsync.sandbox.state import SandboxState
from wxsync.sources.ldap_streams import UNREAD

PEOPLE = 57
PAGES = 18
"""With ten a page: one of departments and one of its second look, six of people and six of theirs, one each
of crews and of tags with theirs."""
FIRST, SECOND = 3, 9
"""The first pages of people and of their second look."""
CREWS, TAGS = 15, 17
"""The pages of groups that are departments, and of groups that are tags."""
SEEN_BY_ALL = "to * by * read"
HALF = f'to dn.subtree="{BASE}" filter=(|(uid=*1)(uid=*3)(uid=*5)(uid=*7)(uid=*9)) by * none'

INNER = "night"
"""A group within a group, which `groups` does not find."""
QUERIES: Mapping[str, Any] = {
    "departments": "(|(objectClass=organizationalUnit)(cn=crew-*))",
    "memberships": "(cn=crew-*)",
    "groups": "(|(cn=vpn)(cn=drivers))",
}
MAPPING: Mapping[str, Any] = {
    "member": {**MEMBER, "position": "title", "direct_leader": "manager", "is_leader": "title == '组长'"},
    "department": {**DEPARTMENT, "key": "ou | default(cn)", "name": "ou | default(cn)"},
}


def staffed(people: int) -> list[Person]:
    """The company with titles and leaders, three groups that are departments too, and two that are tags."""
    dns = [person(number)[0] for number in range(people)]
    led = [titled(person(number), dns[number % 4] if number >= 4 else None) for number in range(people)]
    crews = [group(f"crew-{number}", *dns[number::6]) for number in range(3)]
    inner = group(INNER, *dns[3:8])
    tags = [group("vpn", *dns[10:24], inner[0]), group("drivers", *dns[1:40:5], dns[0])]
    return [*company(0), *led, *crews, inner, *tags]


OLD_GROUPS = [group(name, person(1)[0]) for name in ("crew-0", "crew-1", "crew-2", "vpn", "drivers")]


def titled(who: Person, manager: str | None) -> Person:
    dn, attributes = who
    more = {"title": ["组长"]} if manager is None else {"title": ["职员"], "manager": [manager]}
    return dn, {**attributes, **more}


@dataclass(kw_only=True)
class Scene:
    """A company that is in WeCom, its directory, and a proxy before that."""

    server: SlapdServer
    proxy: Proxy
    story: LdapStory
    loaded: Shown

    def ends(self, **settings: Any) -> Ended:
        """Run `wxsync apply`. Nobody is lost, whatever it says."""
        if settings:
            self.story.read_from(**{"url": self.proxy.url, "page_size": 10, **QUERIES, **settings})
        ended = self.story.apply()
        assert self.story.wecom() == self.loaded
        return ended

    def fails(self, kind: type[SourceError] = SourceUnavailableError, **settings: Any) -> str:
        """It ends with exit code 1 and the error."""
        ended = self.ends(**settings)
        assert ended.code == 1, ended.problems
        assert isinstance(ended.error, kind), ended.error
        return str(ended.error)

    def holds_back(self, **settings: Any) -> list[str]:
        """The reading is incomplete, removals are held back, exit code 5; what was not proven.

        Beside that of groups, of which nothing is known where people were not read whole.
        """
        ended = self.ends(**settings)
        assert ended.code == 5, (ended.problems, ended.error)
        assert ended.run is not None
        assert any(change.reason is Reason.INCOMPLETE for change in ended.run.plan.changes)
        return [problem for problem in ended.problems if problem != str(UNREAD)]

    def is_not_proven(self, **settings: Any) -> list[str]:
        """The reading is incomplete, and there is nothing to hold back: exit code 0."""
        ended = self.ends(**settings)
        assert ended.code == 0, (ended.problems, ended.error)
        assert ended.problems
        return ended.problems

    def is_over_a_limit(self, *limits: str, **settings: Any) -> None:
        """The reading looks whole: these limits are the last wall, exit code 4."""
        ended = self.ends(**settings)
        assert ended.code == 4, (ended.problems, ended.error)
        assert all(limit in str(ended.error) for limit in limits), ended.error

    def at(self, page: int, action: Callable[[], None]) -> None:
        self.proxy.before_page[page] = action


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """WeCom and the mirror after the first load; every story goes on from a copy of them."""

    mirror: Path
    state: SandboxState


@pytest.fixture(scope="module")
def loaded(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The company is in WeCom."""
    folder = tmp_path_factory.mktemp("loaded")
    with run_slapds(authority) as make:
        url = make(staffed(PEOPLE)).url
        story = ldap_story(folder, url, **MAPPING)
        story.read_from(url, **QUERIES)
        assert story.apply().code == 0
    return Loaded(mirror=folder / "mirror.db", state=story.stage.state)


@pytest.fixture
def set_scene(make_slapd: MakeSlapd, tmp_path: Path, loaded: Loaded) -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:

        def make(**sync: Any) -> Scene:
            server = make_slapd(staffed(PEOPLE))
            proxy = stack.enter_context(run_proxy(server.port))
            shutil.copy(loaded.mirror, tmp_path / "mirror.db")
            story = ldap_story(tmp_path, proxy.url, **MAPPING, **sync)
            story.read_from(proxy.url, page_size=10, **QUERIES)
            story.stage.state = deepcopy(loaded.state)
            shown = story.wecom()
            assert len(shown.people) == PEOPLE
            assert {name: len(users) for name, users in shown.tags} == {"vpn": 19, "drivers": 9}
            return Scene(server=server, proxy=proxy, story=story, loaded=shown)

        yield make


@pytest.fixture
def scene(set_scene: Callable[..., Scene]) -> Scene:
    return set_scene()


def test_nothing_happens(scene: Scene) -> None:
    """So many pages there are, and nothing to do."""
    ended = scene.ends()
    assert (ended.code, ended.problems, scene.proxy.pages) == (0, [], PAGES)


# What happens to the server and to the line


@pytest.mark.parametrize("page", range(1, PAGES + 1))
def test_killed_at_a_page(scene: Scene, page: int) -> None:
    """Of the first look or of the second one, at the first page or the last."""
    scene.at(page, lambda: scene.server.stop(signal.SIGKILL))
    assert "broke off" in scene.fails()


@pytest.mark.parametrize("page", [1, FIRST + 2, SECOND])
def test_stopped_in_good_order_at_a_page(scene: Scene, page: int) -> None:
    """A notice of disconnection is no end of a listing."""
    scene.at(page, scene.server.stop)
    assert "broke off" in scene.fails()


@pytest.mark.parametrize("page", [1, FIRST + 2, SECOND + 3])
def test_held_in_mid_read(scene: Scene, page: int) -> None:
    """A server that says nothing any more is given up after `receive_timeout`."""
    scene.at(page, scene.server.hold)
    assert "timed out" in scene.fails(receive_timeout=1)


@pytest.mark.parametrize("count", [0, 1, 100, 400])
@pytest.mark.parametrize("page", [1, FIRST + 1, SECOND + 5, CREWS, TAGS])
def test_response_truncated(scene: Scene, page: int, count: int) -> None:
    """After so many bytes of the page the line is cut, in the middle of an entry or between two."""
    scene.at(page, lambda: scene.proxy.cut_after(count))
    assert "broke off" in scene.fails()


@pytest.mark.parametrize("count", [0, 700])
def test_stalled_in_mid_page(scene: Scene, count: int) -> None:
    """The line stays open and nothing more comes."""
    scene.at(FIRST + 1, lambda: scene.proxy.stall_after(count))
    assert "timed out" in scene.fails(receive_timeout=1)


def test_restarted_between_pages(scene: Scene) -> None:
    """The line is lost, and not taken up again."""
    scene.at(FIRST + 2, scene.server.restart)
    assert "broke off" in scene.fails()


def test_restarted_behind_a_balancer_that_reconnects(scene: Scene) -> None:
    """The new server does not know the cookie: what came before is not called all."""

    def act() -> None:
        scene.proxy.reconnects = True
        scene.server.restart()
        scene.proxy.swap(scene.server.port)

    scene.at(FIRST + 2, act)
    assert "the server ended page 3 with" in scene.holds_back()[0]


def test_the_second_server_does_not_go_on_for_the_first(scene: Scene, make_slapd: MakeSlapd) -> None:
    """Several URLs are for the beginning: a read that broke off is begun anew by the next run."""
    other = make_slapd(staffed(PEOPLE))
    scene.at(FIRST + 2, lambda: scene.server.stop(signal.SIGKILL))
    scene.fails(url=[scene.proxy.url, other.url])
    assert scene.ends().code == 0


# Limits of the server


def test_size_limit_of_five_hundred(make_slapd: MakeSlapd) -> None:
    """The default of many servers, with more people than that: five hundred are read, and not called all."""
    server = make_slapd(company(520))
    server.limit(olcLimits=limits("size.soft=500 size.hard=500"))
    with ldap_source(server).open() as session:
        stream = session.read("members", MAPPED)
        assert len(list(stream)) == 500
    assert str(stream.proof.problem) == "the server ended page 6 with sizeLimitExceeded (4)"


def test_time_limit_of_the_server(make_slapd: MakeSlapd) -> None:
    """A search that takes longer than a second, since nobody takes what it gives: it is not called all."""
    large = [(dn, {**entry, "description": ["x" * 50_000]}) for dn, entry in map(person, range(600))]
    server = make_slapd([*company(0), *large])
    server.limit(olcLimits=limits("time.soft=1 time.hard=1 size.prtotal=unlimited size.pr=unlimited"))
    with (
        run_proxy(server.port) as proxy,
        ldap_source(proxy.url, page_size=1000, receive_timeout=9).open() as s,
    ):
        stream = s.read("members", frozenset({"description"}))
        proxy.pause_after(500_000, 2.5)
        assert 0 < len(list(stream)) < 600
    assert str(stream.proof.problem) == "the server ended page 1 with timeLimitExceeded (3)"


@pytest.mark.parametrize("limit", [9, 10, 11, 20, 49, 50, 51, 56])
def test_size_limit_at_the_bounds_of_pages(scene: Scene, limit: int) -> None:
    """Before the last entry of a page, with it, and after it."""
    scene.server.limit(olcLimits=limits(f"size.prtotal={limit}"))
    problems = scene.holds_back()
    assert len(problems) == 1
    assert "sizeLimitExceeded (4)" in problems[0]


def test_size_limit_of_just_everybody(scene: Scene) -> None:
    """Exactly as many as there are is no limit that was hit."""
    scene.server.limit(olcLimits=limits(f"size.prtotal={PEOPLE}"))
    ended = scene.ends()
    assert (ended.code, ended.problems) == (0, [])


def test_size_limit_of_a_page(scene: Scene) -> None:
    """A server that gives smaller pages than were asked for, and refuses larger ones."""
    scene.server.limit(olcLimits=limits("size.pr=5 size.prtotal=unlimited"))
    assert "adminLimitExceeded (11)" in scene.fails(SourceError)


def test_paging_that_is_switched_off(scene: Scene) -> None:
    """Pages are asked for as critical: a server that gives none says so."""
    scene.server.limit(olcLimits=limits("size.prtotal=disabled"))
    scene.fails(SourceError)


def test_unchecked_limit(scene: Scene) -> None:
    """Too many candidates: the server gives none at all, and no empty company comes of it."""
    scene.server.limit(olcLimits=limits("size.unchecked=20"))
    assert "search failed: adminLimitExceeded (11)" in scene.fails(SourceError)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 10, 11, 12, 32, 50, 51, 52, 53, 80])
def test_a_result_that_is_not_success(scene: Scene, code: int) -> None:
    """Time limit (3), busy (51) and all the others, with the entries of one page and the next one's."""
    scene.proxy.ends[FIRST + 1] = (code, b"")
    problems = scene.holds_back()
    assert len(problems) == 1
    assert problems[0].startswith("the server ended page 2 with")
    assert f"({code})" in problems[0]


@pytest.mark.parametrize("page", [1, 2, FIRST, FIRST + 5, SECOND, PAGES])
def test_time_limit_at_a_page(scene: Scene, page: int) -> None:
    """The first, the last, or one of the second look."""
    scene.proxy.ends[page] = (3, b"")
    ended = scene.ends()
    assert ended.code == (5 if page == FIRST else 0)
    assert "timeLimitExceeded (3)" in ended.problems[0]


@pytest.mark.parametrize("code", [3, 4, 51])
def test_a_first_page_without_entries_that_is_no_success(scene: Scene, code: int) -> None:
    """That is no reading at all."""
    scene.proxy.empties_from = FIRST
    scene.proxy.ends[FIRST] = (code, b"")
    assert f"({code})" in scene.fails(SourceError)


def test_paging_control_missing(scene: Scene) -> None:
    """Success without a word on further pages: ten of fifty-seven are not called all."""
    scene.proxy.hides_paging = True
    assert scene.holds_back()[-1] == "the server did not say after page 1 whether there are more"


def test_pages_without_end(scene: Scene) -> None:
    """An empty page with the cookie of the one before is not asked for once more, for ever."""
    scene.proxy.empties_from = FIRST + 2
    scene.proxy.ends |= dict.fromkeys(range(FIRST + 1, 99), (0, b"again"))
    assert scene.holds_back()[0] == "the server gives page 3 again and again"


def test_a_page_that_comes_without_its_entries(scene: Scene) -> None:
    """Success, a cookie, and nobody on the last pages: the second look has them."""

    def empty_no_more() -> None:
        scene.proxy.empties_from = None

    scene.proxy.empties_from = FIRST + 3
    scene.at(SECOND, empty_no_more)
    assert scene.holds_back() == [f"it gave 30 rows, and {PEOPLE} when it was counted once more"]


# What the reader may see


def test_an_access_rule_hides_half_the_tree(scene: Scene) -> None:
    """Before the read: it is whole as far as anybody can tell."""
    scene.server.limit(olcAccess=[HALF, SEEN_BY_ALL])
    scene.is_over_a_limit("member_remove", "source_shrink (hr.members)")


@pytest.mark.parametrize("page", [FIRST, FIRST + 1, FIRST + 5])
def test_an_access_rule_hides_half_the_tree_in_mid_read(scene: Scene, page: int) -> None:
    """Who was read before counts, and nobody is called gone."""
    scene.at(page, lambda: scene.server.limit(olcAccess=[HALF, SEEN_BY_ALL]))
    if page == FIRST:  # from the first page on: as if it had been before the read
        scene.is_over_a_limit("member_remove", "source_shrink (hr.members)")
    else:
        assert "when it was counted once more" in scene.holds_back()[0]


def test_an_access_rule_hides_half_the_tree_before_the_second_look(scene: Scene) -> None:
    """Everybody was read, and nothing is proven."""
    scene.at(SECOND, lambda: scene.server.limit(olcAccess=[HALF, SEEN_BY_ALL]))
    assert "when it was counted once more" in scene.is_not_proven()[0]


def test_an_access_rule_hides_half_the_tree_until_the_second_look(scene: Scene) -> None:
    """The other way round: the second look sees whom the first one missed."""
    scene.server.limit(olcAccess=[HALF, SEEN_BY_ALL])
    scene.at(FIRST + 3, lambda: scene.server.limit(olcAccess=SEEN_BY_ALL))
    assert scene.holds_back() == ["it gave 29 rows, and 57 when it was counted once more"]


def test_an_access_rule_hides_five_people(set_scene: Callable[..., Scene]) -> None:
    """No proof sees that; a limit below five does."""
    scene = set_scene(limits={"member_remove": {"percent": 5, "floor": 2, "max": 50}})
    scene.server.limit(olcAccess=[hiding(11, 12, 13, 14, 15), SEEN_BY_ALL])
    scene.is_over_a_limit("member_remove: 5")


@pytest.mark.parametrize("count", [5, 6])
def test_what_the_limits_let_through(scene: Scene, count: int) -> None:
    """Hidden from the first page to the last: five are as many as leave on some days, six are too many.

    The only ones who are lost in all of these stories: safety.md, "What no proof can see".
    """
    numbers = (27, 28, 29, 33, 34, 35)[:count]
    scene.server.limit(olcAccess=[hiding(*numbers), SEEN_BY_ALL])
    if count == 6:
        scene.is_over_a_limit("source_shrink (hr.members): 6", "member_remove: 6")
        return
    assert scene.story.apply().code == 0
    lost = {userid for userid, _ in scene.loaded.people - scene.story.wecom().people}
    assert lost == {f"u{number:05d}" for number in numbers}


def test_an_access_rule_hides_who_is_in_groups(scene: Scene) -> None:
    """All groups are there, and none shows anybody: nobody leaves a department or a tag."""
    scene.server.limit(olcAccess=["to attrs=member by * none", SEEN_BY_ALL])
    scene.is_over_a_limit("source_shrink (hr.memberships): 30", "source_shrink (hr.tags): 28")
    plan = scene.story.stage.plan().plan
    rejected = {(each.kind, each.key, each.rule) for each in plan.rejected}
    assert rejected == {(Kind.TAG, "vpn", "key"), (Kind.TAG, "drivers", "key"), (Kind.MEMBER, None, "key")}
    assert plan.writes == ()


def test_an_access_rule_hides_a_group_within_a_group(scene: Scene) -> None:
    """Before the reading, or when its turn comes: whoever is in it stays in the tag."""
    inner = f'to dn.exact="cn={INNER},{BASE}" by * none'
    scene.proxy.before_search[f"cn={INNER}".encode()] = lambda: scene.server.limit(
        olcAccess=[inner, SEEN_BY_ALL]
    )
    for _ in range(2):
        ended = scene.ends()
        assert ended.code == 5
        assert ended.run is not None
        assert [(each.key, each.rule) for each in ended.run.plan.rejected] == [("vpn", "key")]


def test_a_bind_falls_back_to_anonymous_while_groups_are_gone_through(scene: Scene) -> None:
    """After the last page of groups, before the first group within a group: who is nobody does not see it."""
    by_reader = f'to dn.exact="cn={INNER},{BASE}" by users read by * none'
    scene.server.limit(olcAccess=[by_reader, SEEN_BY_ALL])
    scene.proxy.before_search[f"cn={INNER}".encode()] = scene.proxy.rebind_as_nobody
    assert "as somebody else at the end" in scene.ends().problems[-1]


def test_killed_while_groups_are_gone_through(scene: Scene) -> None:
    """Between two pages, at a look-up."""
    scene.proxy.before_search[f"cn={INNER}".encode()] = lambda: scene.server.stop(signal.SIGKILL)
    assert "looking up an entry broke off" in scene.fails()


def test_an_access_rule_hides_five_people_in_mid_read(scene: Scene) -> None:
    """Two of them had been read already: the second look lacks those."""
    hidden = hiding(8, 9, 22, 23, 44)
    scene.at(FIRST + 2, lambda: scene.server.limit(olcAccess=[hidden, SEEN_BY_ALL]))
    assert scene.holds_back() == [
        f"it gave {PEOPLE - 3} rows, and {PEOPLE - 5} when it was counted once more"
    ]


def test_an_access_rule_hides_a_canary(scene: Scene) -> None:
    """Five are within the limit; one of them is named in the config."""
    scene.server.limit(olcAccess=[hiding(13, 25, 27, 28, 29), SEEN_BY_ALL])
    problems = scene.holds_back(canaries=["E00001", "E00013"])
    assert problems == ["E00013 of canaries was not in it"]


def test_the_key_of_all_is_hidden(scene: Scene) -> None:
    """The people are there, and their numbers cannot be read: each may be anybody."""
    scene.server.limit(olcAccess=["to attrs=employeeNumber by * none", SEEN_BY_ALL])
    ended = scene.ends()
    assert ended.code in (1, 5)


def test_a_bind_falls_back_to_anonymous(scene: Scene) -> None:
    """Who is nobody sees half of it; nothing is read."""
    scene.server.limit(olcAccess=[HALF.replace("by * none", "by users read by * none"), SEEN_BY_ALL])
    scene.proxy.binds_nobody = True
    assert "as nobody" in scene.fails(SourceError)


@pytest.mark.parametrize("page", [1, 2, FIRST, FIRST + 2, SECOND, CREWS, TAGS, PAGES])
def test_a_bind_falls_back_to_anonymous_in_mid_read(scene: Scene, page: int) -> None:
    """From some page on the server takes the reader for nobody."""
    scene.server.limit(olcAccess=[HALF.replace("by * none", "by users read by * none"), SEEN_BY_ALL])
    scene.at(page, scene.proxy.rebind_as_nobody)
    ended = scene.ends()
    assert ended.code in (0, 5)
    assert ended.problems


def test_the_account_expires_between_two_runs(scene: Scene) -> None:
    """A bind that is refused is no empty company."""
    scene.server.change(f"dn: {READER}\nchangetype: modify\nreplace: userPassword\nuserPassword: another\n")
    assert "invalidCredentials (49)" in scene.fails()


# Where it looks


def test_an_empty_base(scene: Scene) -> None:
    """There is such an entry, and nobody below it."""
    scene.server.change(add("ou=Empty", SUFFIX))
    scene.fails(IncompleteReadError, base_dn=f"ou=Empty,{SUFFIX}")


def test_a_wrong_base(scene: Scene) -> None:
    """There is no such entry."""
    assert "base_dn is not there" in scene.fails(SourceError, base_dn=f"ou=Compny,{SUFFIX}")


def test_a_base_in_another_directory(scene: Scene) -> None:
    """The server knows where, or knows nothing: it is no empty company."""
    scene.fails(SourceError, base_dn="ou=Company,dc=example,dc=org")


def test_a_base_that_is_too_small(scene: Scene) -> None:
    """One unit of four."""
    scene.is_over_a_limit("member_remove", "source_shrink (hr.members)", base_dn=f"ou=Sales,{BASE}")


@pytest.mark.parametrize("filter_", ["(objectClass=inetOrgPerson", "(objectClas=inetOrgPerson)"])
def test_a_filter_with_a_fault(scene: Scene, filter_: str) -> None:
    """Its form, or an attribute that nobody has."""
    assert "the members filter" in scene.fails(SourceError, members=filter_)


def test_a_filter_that_finds_nobody(scene: Scene) -> None:
    """Well-formed, and for another company."""
    scene.fails(IncompleteReadError, members="(&(objectClass=inetOrgPerson)(o=Other))")


def test_a_filter_that_finds_half(scene: Scene) -> None:
    """No proof sees that."""
    scene.is_over_a_limit("member_remove", members="(&(objectClass=inetOrgPerson)(!(uid=*1*)))")


def test_a_departments_filter_that_finds_none(scene: Scene) -> None:
    """People without departments are not moved to the root."""
    scene.fails(IncompleteReadError, departments="(objectClass=device)")


def test_a_renamed_base(scene: Scene) -> None:
    """Between two runs: what the config names is not there."""
    scene.server.change(rename(BASE, "ou=Firm"))
    assert "base_dn is not there" in scene.fails(SourceError)


@pytest.mark.parametrize("page", [1, 2, FIRST, FIRST + 2, FIRST + 5, SECOND, PAGES])
def test_a_renamed_base_in_mid_read(scene: Scene, page: int) -> None:
    """Whatever the server makes of it, it is no complete reading."""
    scene.at(page, lambda: scene.server.change(rename(BASE, "ou=Firm")))
    ended = scene.ends()
    assert ended.code in (0, 1, 5)
    assert ended.error is not None or ended.problems


def test_a_renamed_base_and_a_new_one_in_its_place(scene: Scene) -> None:
    """The same name is another entry: it has another entryUUID."""

    def act() -> None:
        scene.server.change(rename(BASE, "ou=Firm"))
        scene.server.change(add("ou=Company", SUFFIX))

    scene.at(FIRST + 6, act)
    assert "another server, or another base_dn" in scene.holds_back()[0]


def test_a_unit_is_on_another_server(scene: Scene) -> None:
    """A referral in its place, which nobody follows: its people are not gone."""
    people = [person(number)[0] for number in range(PEOPLE) if number % 4 == 2]
    for dn in [*people, f"ou=Works,{BASE}"]:
        scene.server.change(f"dn: {dn}\nchangetype: delete\n")
    scene.server.change(
        f"dn: ou=Works,{BASE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"ou: Works\nref: ldap://localhost:1/ou=Works,{BASE}\n"
    )
    assert (
        scene.holds_back()
        == ["a part of it is on localhost, which was not read and is not declared in referrals"] * 2
    )


def test_the_base_is_on_another_server(scene: Scene) -> None:
    """The server names another one; it is not asked."""
    foreign = f"ou=Foreign,{SUFFIX}"
    scene.server.change(
        f"dn: {foreign}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"ou: Foreign\nref: ldap://localhost:1/{foreign}\n"
    )
    assert "on another server" in scene.fails(SourceError, base_dn=foreign)


# Which server it is


@pytest.mark.parametrize("until", [timedelta(days=-1)])
def test_certificate_expired(scene: Scene, make_slapd: MakeSlapd, until: timedelta) -> None:
    """Nothing is sent to it."""
    other = make_slapd(company(3), until=until)
    error = scene.fails(url=other.tls_url, ca_file=other.authority.file)
    assert "certificate has expired" in error


def test_wrong_host_name(scene: Scene, make_slapd: MakeSlapd) -> None:
    """A server with a good certificate under another name is another server."""
    other = make_slapd(company(3), names=["dc9.example.com"])
    error = scene.fails(url=other.tls_url, ca_file=other.authority.file)
    assert "not valid for 'localhost'" in error


def test_a_server_without_tls(scene: Scene) -> None:
    """ldaps:// to a port that speaks plain LDAP."""
    scene.fails(url=scene.proxy.url.replace("ldap:", "ldaps:"))


@pytest.mark.parametrize("page", range(1, PAGES + 1))
def test_another_server_half_way(scene: Scene, make_slapd: MakeSlapd, page: int) -> None:
    """A balancer leads the line to a directory with half the people, under the same names."""
    other = make_slapd(staffed(PEOPLE // 2))
    scene.at(page, lambda: scene.proxy.swap(other.port))
    ended = scene.ends()
    assert ended.code in (0, 5)
    assert ended.problems


def test_another_server_from_the_beginning(scene: Scene, make_slapd: MakeSlapd) -> None:
    """The name leads elsewhere since yesterday: complete, and over the limits."""
    scene.is_over_a_limit("member_remove", url=make_slapd(staffed(PEOPLE // 2)).url)


def test_a_replica_that_lags(scene: Scene, make_slapd: MakeSlapd) -> None:
    """It has not heard of the twelve newest: whole as it looks, and over the limits."""
    replica = make_slapd(staffed(PEOPLE - 12))
    scene.is_over_a_limit("member_remove: 12", "source_shrink (hr.members): 12", url=replica.url)


def test_a_replica_that_lags_in_its_groups(scene: Scene, make_slapd: MakeSlapd) -> None:
    """Everybody is there, and in the groups are those of last month: the places are counted."""
    replica = make_slapd([*staffed(PEOPLE)[: -len(staffed(PEOPLE)) + len(company(PEOPLE))], *OLD_GROUPS])
    scene.is_over_a_limit("source_shrink (hr.memberships)", "source_shrink (hr.tags)", url=replica.url)


def test_another_server_that_is_empty(scene: Scene, make_slapd: MakeSlapd) -> None:
    """A new one, on which somebody made the tree and nobody yet."""
    scene.fails(IncompleteReadError, url=make_slapd(company(0)).url)


def test_a_unit_renamed_in_mid_read(scene: Scene) -> None:
    """Its people are in two looks under two names; nobody leaves and nobody is moved to the root."""
    scene.at(FIRST + 3, lambda: scene.server.change(rename(f"ou=Sales,{BASE}", "ou=Market")))
    ended = scene.story.apply()
    shown = scene.story.wecom()
    assert shown.people == scene.loaded.people
    assert len(shown.departments) == len(scene.loaded.departments)
    assert ended.problems


def limits(some: str) -> str:
    return f'dn.exact="{READER}" {some}'


def hiding(*numbers: int) -> str:
    which = "".join(f"(uid=u{number:05d})" for number in numbers)
    return f'to dn.subtree="{BASE}" filter=(|{which}) by * none'


def rename(dn: str, rdn: str) -> str:
    return f"dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n"


def add(rdn: str, parent: str) -> str:
    return f"dn: {rdn},{parent}\nchangetype: add\nobjectClass: organizationalUnit\nou: {rdn[3:]}\n"
