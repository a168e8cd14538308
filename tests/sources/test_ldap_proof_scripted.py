"""Two looks at a directory, and who reads, against a server whose every answer is scripted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import pytest
from ldap3 import Connection, Server

from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources import ldap_proof
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import Retold
from wxsync.sources.ldap_pages import Listing, Search
from wxsync.sources.ldap_proof import Roll, Survey, Witness
from wxsync.sources.ldap_wire import ANY, Page, Result, Wire
from wxsync.sources.proof import Evidence, prove

SUCCESS: Final = Result(code=0, name="success", message="")
BUSY: Final = Result(code=51, name="busy", message="")
DENIED: Final = Result(code=50, name="insufficientAccessRights", message="")
UNKNOWN: Final = Result(code=2, name="protocolError", message="")
BASE: Final = "dc=example"
RETOLD: Final = Retold(source="ad")
SEARCH: Final = Search(
    what="the members search", base=BASE, filter="(uid=*)", attributes=("cn",), page_size=500
)
ANONYMOUS: Final = bytes.fromhex("010100000000000507000000")
"""S-1-5-7."""
STAFF, LEADERS = (bytes.fromhex(f"01020000000000052000000{rid}020000") for rid in "12")
BEGAN: Final = "20260302020000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the server says of itself and of the reader when it is asked, attribute by attribute."""

    root: Mapping[str, tuple[bytes, ...]]
    base: Mapping[str, tuple[bytes, ...]]
    name: str = "u:reader"
    result: Result = SUCCESS


NOW: Final = Moment(
    root={
        "dnshostname": (b"dc1.example.com",),
        "dsservicename": (b"cn=dc1",),
        "currenttime": (b"20260302020000.0Z",),
    },
    base={"entryuuid": (b"one",), "objectguid": (b"two",)},
)


def at(moment: Moment = NOW, **root: bytes) -> Moment:
    """The same with some of the root's attributes otherwise; without those that are empty."""
    changed = {**moment.root, **{name: (value,) for name, value in root.items()}}
    return replace(moment, root={name: values for name, values in changed.items() if values != (b"",)})


def later(second: str) -> Moment:
    return at(currenttime=f"{second}.0Z".encode())


class Told(Wire):
    """A line whose far end says one moment after another, the last one for ever, and gives these pages."""

    def __init__(
        self, *moments: Moment, looks: Sequence[Page] = (), created: Mapping[str, Page] | None = None
    ):
        super().__init__(Connection(Server("127.0.0.1")))
        self.moments = list(moments)
        self.looks = list(looks)
        self.created = created or {}
        self.looked_up: list[str] = []

    def read(
        self, dn: str, attributes: Sequence[str], filter_: str = ANY, *, deleted_too: bool = False
    ) -> Page:
        assert (filter_, deleted_too) == (ANY, False)
        if dn in ("", BASE):
            told = self.moments[0].base if dn else self.moments[0].root
            return found({name.lower(): told[name.lower()] for name in attributes if name.lower() in told})
        self.looked_up.append(dn)
        if dn not in self.created:
            raise OSError("reset")
        return self.created[dn]

    def who_am_i(self) -> tuple[Result, str]:
        moment = self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]
        return moment.result, moment.name

    def page(
        self,
        base: str,
        filter_: str,
        attributes: Sequence[str],
        *,
        size: int,
        cookie: bytes,
        deleted_too: bool = False,
    ) -> Page:
        assert (base, filter_, tuple(attributes), size, cookie) == (BASE, "(uid=*)", ("cn",), 500, b"")
        assert not deleted_too
        return self.looks.pop(0)


def found(*attributes: Mapping[str, tuple[bytes, ...]]) -> Page:
    """One entry for each; their DNs do not matter."""
    entries = tuple(Entry("", each) for each in attributes)
    return Page(entries=entries, referrals=(), result=SUCCESS, cookie=None)


def made(value: str, name: str = "createtimestamp") -> Page:
    return found({name: (value.encode(),)})


def look(*logins: object, result: Result = SUCCESS, referrals: Sequence[str] = ()) -> Page:
    """All that there is, on one page."""
    entries = tuple(Entry(dn(login), {}) for login in logins)
    return Page(entries=entries, referrals=tuple(referrals), result=result, cookie=b"")


def dn(login: object) -> str:
    return f"uid={login},{BASE}"


def asked(moment: Moment) -> ldap_proof.Testimony:
    return Witness(Told(moment), BASE, RETOLD).first


def survey_of(wire: Told, declared: Sequence[str] = ()) -> Survey:
    first, second = (Listing(wire, SEARCH, RETOLD) for _ in range(2))
    return Survey(first, second, Witness(wire, BASE, RETOLD), wire, RETOLD, declared)


def observed(
    *looks: Page,
    moments: Sequence[Moment] = (NOW,),
    created: Mapping[str, Page] | None = None,
    declared: Sequence[str] = (),
) -> Evidence:
    """The moments are when the session begins, when the reading does, and when it ends."""
    wire = Told(*moments, looks=looks, created=created)
    survey = survey_of(wire, declared)
    given = [entry.dn for entry in survey]
    survey.seal()
    assert len(given) == survey.evidence.rows
    assert wire.looks == [], "each look was taken"
    return survey.evidence


def quiet(rows: int, **more: Any) -> Evidence:
    """What is observed of so many entries where nothing speaks against them, but for what is named."""
    whole = Evidence(
        rows=rows, has_ended=True, counted=rows, is_watched=True, before="u:reader", after="u:reader"
    )
    return replace(whole, **more)


# Who reads


@pytest.mark.parametrize("name", ["", "dn:", "u:reader"])
def test_whoever_has_the_sid_of_nobody_is_nobody(name: str) -> None:
    """Whatever else the server calls them, and whatever other groups come with it."""
    for groups in ((ANONYMOUS,), (STAFF, ANONYMOUS)):
        moment = replace(NOW, name=name, root={**NOW.root, "tokengroups": groups})
        assert asked(moment).identity == ""


@pytest.mark.parametrize("name", ["", "dn:"])
@pytest.mark.parametrize("groups", [(), (STAFF,)])
def test_an_empty_name_is_nobody(name: str, groups: tuple[bytes, ...]) -> None:
    """Both forms of RFC 4513, 5.2.1.8, with groups or without."""
    assert asked(replace(NOW, name=name, root={**NOW.root, "tokengroups": groups})).identity == ""


def test_without_groups_the_name_is_the_reader() -> None:
    """As the server spells it; none where it does not say, which is not nobody."""
    assert asked(replace(NOW, name="dn:cn=reader")).identity == "dn:cn=reader"
    assert asked(replace(NOW, name="u:reader", result=UNKNOWN)).identity is None
    assert asked(replace(NOW, name="", result=UNKNOWN)).identity is None


def test_groups_are_a_part_of_who_reads() -> None:
    """Whoever loses one may see less under the same name; in which order they come says nothing."""
    identities = {
        groups: asked(replace(NOW, root={**NOW.root, "tokengroups": groups})).identity
        for groups in ((), (STAFF,), (LEADERS,), (STAFF, LEADERS), (LEADERS, STAFF))
    }
    assert identities[()] == "u:reader"
    assert identities[(STAFF,)] == f"u:reader {digest(STAFF)}"
    assert identities[(STAFF, LEADERS)] == identities[(LEADERS, STAFF)]
    assert len(set(identities.values())) == 4


def test_groups_alone_are_somebody() -> None:
    """A server that does not answer "Who am I?" says by them who reads."""
    moment = at(replace(NOW, result=UNKNOWN), tokengroups=STAFF)
    assert asked(moment).identity == f" {digest(STAFF)}"


def digest(*values: bytes) -> str:
    """Each value behind its length in eight bytes."""
    return sha256(b"".join(len(each).to_bytes(8, "big") + each for each in values)).hexdigest()


# Which server answers


def test_the_place_is_made_of_what_names_the_server_and_the_base() -> None:
    """Each of the four by itself makes it another place."""
    others = [
        at(dnshostname=b"dc2.example.com"),
        at(dsservicename=b"cn=dc2"),
        replace(NOW, base={**NOW.base, "entryuuid": (b"three",)}),
        replace(NOW, base={**NOW.base, "objectguid": (b"three",)}),
        at(dnshostname=b""),
        replace(NOW, base={}),
    ]
    places = {asked(each).place for each in (NOW, *others)}
    assert len(places) == 1 + len(others)


def test_a_value_under_another_name_is_another_place() -> None:
    """What is the one's id and what is the other's is told apart, and where a value ends is too."""
    bases: list[Mapping[str, tuple[bytes, ...]]] = [
        {"entryuuid": (b"one",)},
        {"objectguid": (b"one",)},
        {"entryuuid": (b"o", b"ne")},
        {"entryuuid": (b"on", b"e")},
    ]
    assert len({asked(replace(NOW, base=base)).place for base in bases}) == len(bases)


def test_time_and_groups_do_not_move_a_server() -> None:
    """It is the same one a second later, and for another reader."""
    same = [later("20260302020001"), at(tokengroups=STAFF), replace(NOW, name="u:other")]
    assert {asked(each).place for each in same} == {asked(NOW).place}


def test_of_a_server_that_shows_nothing_nothing_is_known() -> None:
    """No entry, or two for one DN, are as good as one without attributes: that is no error."""

    class Odd(Told):
        answer = found()

        def read(
            self, dn: str, attributes: Sequence[str], filter_: str = ANY, *, deleted_too: bool = False
        ) -> Page:
            return self.answer

    class Twice(Odd):
        answer = found({**NOW.root, **NOW.base}, {**NOW.root, **NOW.base})

    bare = asked(Moment(root={}, base={}))
    for odd in (Odd(NOW), Twice(NOW)):
        said = Witness(odd, BASE, RETOLD).first
        assert (said.place, said.identity) == (bare.place, "u:reader")
        assert said.second != BEGAN


def test_a_line_that_breaks_while_it_is_asked_is_told() -> None:
    """With what was asked; the session does not begin."""

    class Broken(Told):
        def who_am_i(self) -> tuple[Result, str]:
            raise OSError("reset")

    with pytest.raises(SourceUnavailableError, match="asking the server who it is broke off: reset"):
        Witness(Broken(NOW), BASE, RETOLD)


# When


@pytest.mark.parametrize("time", [b"20260302020000.0Z", b"20260302020000Z", b"20260302020000"])
def test_the_second_is_by_the_clock_of_the_server(time: bytes) -> None:
    """Down to the second, without fraction and zone."""
    assert asked(at(currenttime=time)).second == BEGAN


@pytest.mark.parametrize("time", [b"", b"2026-03-02T02:00:00Z", b"now", b"\xff\xfe"])
def test_of_a_server_without_a_clock_the_second_is_by_ours(time: bytes) -> None:
    """In UTC, in the same form."""
    before = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    second = asked(at(currenttime=time)).second
    assert before <= second <= datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    assert len(second) == 14


# Which DNs were read


def test_a_roll_has_what_was_added_and_nothing_else() -> None:
    """In whatever order, and whatever is added after the first question."""
    roll = Roll()
    assert dn(0) not in roll
    for count in (1, 100, 200):
        for number in range(count):
            roll.add(dn(number))
        assert [number for number in range(400) if dn(number) in roll] == list(range(count))


# Two looks


def test_two_looks_that_are_the_same_prove_it() -> None:
    """In whatever order they come; nothing is looked up."""
    evidence = observed(look(1, 2, 3), look(3, 1, 2))
    assert evidence == quiet(3)
    assert prove("ad", "members", evidence).is_complete


def test_nobody_twice_is_proven_too() -> None:
    """An empty base is an answer."""
    assert observed(look(), look()) == quiet(0)


def test_before_it_is_sealed_it_has_not_ended() -> None:
    """Not even after the last entry."""
    survey = survey_of(Told(NOW, looks=[look(1, 2), look(1, 2)]))
    assert survey.evidence == Evidence(rows=0, has_ended=False)
    assert [entry.dn for entry in survey] == [dn(1), dn(2)]
    assert survey.evidence == Evidence(rows=2, has_ended=False)
    survey.seal()
    assert survey.evidence == quiet(2)


@pytest.mark.parametrize(
    ("creation", "is_newer"),
    [
        (made("20260302020001Z"), True),
        (made("20260302020001.0Z", "whencreated"), True),
        (found({"createtimestamp": (b"20260302020001Z",), "whencreated": (b"20260302015959Z",)}), True),
        (made("20270101000000Z"), True),
        (made("20260302020000Z"), False),
        (made("20260302020000.9Z", "whencreated"), False),
        (made("20260302015959Z"), False),
        (made("20260302100001+0800"), False),
        (made("20260302020001"), False),
        (made("20260302020001Z", "modifytimestamp"), False),
        (found({}), False),
        (found(), False),
        (
            found({"createtimestamp": (b"20260302020001Z",)}, {"createtimestamp": (b"20260302020001Z",)}),
            False,
        ),
    ],
)
def test_only_a_creation_after_the_second_of_the_beginning_explains_a_stranger(
    creation: Page, is_newer: bool
) -> None:
    """In that very second they may have been there before, and been missed; and only UTC compares as text."""
    evidence = observed(look(1, 2), look(1, 2, 3), created={dn(3): creation})
    assert evidence == quiet(2, counted=3, created=int(is_newer), strays=int(not is_newer))
    assert prove("ad", "members", evidence).is_complete is is_newer


def test_the_beginning_is_when_the_reading_begins_and_not_the_session() -> None:
    """Whoever was created between the two should have been read."""
    moments = [later("20260302020000"), later("20260302020005"), later("20260302020009")]
    for second, created in (("20260302020003Z", 0), ("20260302020005Z", 0), ("20260302020006Z", 1)):
        evidence = observed(look(1), look(1, 2), moments=moments, created={dn(2): made(second)})
        assert (evidence.created, evidence.strays) == (created, 1 - created)


def test_some_strangers_are_explained_and_others_are_not() -> None:
    """Each is counted for itself."""
    created = {dn(7): made("20260302020001Z"), dn(8): made("20250101000000Z"), dn(9): made("20260302030000Z")}
    evidence = observed(look(1), look(7, 8, 1, 9), created=created)
    assert evidence == quiet(1, counted=4, created=2, strays=1)


def test_whoever_is_gone_from_the_second_look_is_not_explained() -> None:
    """It looks like an access rule that hides them from now on."""
    assert observed(look(1, 2, 3), look(1, 3)) == quiet(3, counted=2, strays=1)
    assert observed(look(1, 2, 3), look()) == quiet(3, counted=0, strays=3)


def test_one_who_came_does_not_stand_for_one_who_went() -> None:
    """The numbers are the same, and the names are not."""
    evidence = observed(look(1, 2), look(2, 3), created={dn(3): made("20260302020001Z")})
    assert evidence == quiet(2, created=1, strays=1)
    assert not prove("ad", "members", evidence).is_complete
    evidence = observed(look(1, 2), look(2, 3), created={dn(3): made("20250101000000Z")})
    assert evidence == quiet(2, strays=2)


def test_at_most_two_hundred_strangers_are_looked_up() -> None:
    """All of whom may be new: what is beyond them was missed."""
    numbers = range(1, 202)
    created = {dn(number): made("20260302020001Z") for number in numbers}
    wire = Told(NOW, looks=[look(0), look(0, *numbers)], created=created)
    survey = survey_of(wire)
    assert len(list(survey)) == 1
    survey.seal()
    assert wire.looked_up == [dn(number) for number in range(1, 201)]
    assert survey.evidence == quiet(1, counted=202, created=200)
    assert not prove("ad", "members", survey.evidence).is_complete


def test_a_line_that_breaks_while_strangers_are_looked_up_is_told() -> None:
    """The reading is none."""
    with pytest.raises(
        SourceUnavailableError, match="looking up what was created meanwhile broke off: reset"
    ):
        observed(look(1), look(1, 2))


def test_a_first_look_that_broke_off_has_no_second() -> None:
    """What broke it is the problem; the server is spared."""
    wire = Told(NOW, looks=[look(1, 2, result=BUSY)])
    survey = survey_of(wire)
    assert [entry.dn for entry in survey] == [dn(1), dn(2)]
    survey.seal()
    evidence = survey.evidence
    assert str(evidence.broken) == "the server ended page 1 with busy (51)"
    assert (evidence.has_ended, evidence.counted, evidence.uncounted) == (False, None, None)


def test_a_second_look_that_broke_off_counts_nothing() -> None:
    """Not even where it gave as many; those whom it had more are not looked up."""
    evidence = observed(look(1, 2), look(1, 3, result=BUSY))
    assert str(evidence.uncounted) == "the server ended page 1 with busy (51)"
    assert (evidence.broken, evidence.counted, evidence.created) == (None, None, 0)
    assert not prove("ad", "members", evidence).is_complete


@pytest.mark.parametrize(("result", "kind"), [(DENIED, SourceError), (BUSY, SourceUnavailableError)])
def test_a_first_look_that_is_refused_is_an_error(result: Result, kind: type[SourceError]) -> None:
    """It is no reading of nobody."""
    with pytest.raises(kind, match="the members search failed") as caught:
        list(survey_of(Told(NOW, looks=[look(result=result)])))
    assert type(caught.value) is kind


# From the beginning to the end


def test_another_server_at_the_end_breaks_the_reading() -> None:
    """It is held against what answered when the session began."""
    other = at(dnshostname=b"dc2.example.com")
    for moments in ([NOW, NOW, other], [other, NOW, NOW]):
        evidence = observed(look(1), look(1), moments=moments)
        assert str(evidence.broken) == (
            "another server, or another base_dn, answered at the end than at the beginning"
        )
        assert replace(evidence, broken=None) == quiet(1)


def test_another_reader_at_the_end_is_told_as_that() -> None:
    """Also where they do not see the base any more, which looks like another one."""
    nobody = replace(NOW, name="", base={})
    evidence = observed(look(1), look(1), moments=[NOW, NOW, nobody])
    assert evidence == quiet(1, after="")
    problem = prove("ad", "members", evidence).problem
    assert str(problem) == "the server let wxsync read as somebody else at the end than at the beginning"


def test_what_broke_the_first_look_stays_the_problem() -> None:
    """Whichever server answers afterwards."""
    wire = Told(NOW, NOW, at(dnshostname=b"dc2.example.com"), looks=[look(1, result=BUSY)])
    survey = survey_of(wire)
    assert len(list(survey)) == 1
    survey.seal()
    assert str(survey.evidence.broken) == "the server ended page 1 with busy (51)"


def test_referrals_of_both_looks_count_but_for_those_that_are_declared() -> None:
    """By host, in whatever case it is declared."""
    first = look(1, referrals=["ldap://dc9.example.com/", "ldap://dc7.example.com/"])
    second = look(1, referrals=["ldap://dc8.example.com/", "ldap://dc7.example.com/"])
    hosts = ("dc7.example.com", "dc8.example.com", "dc9.example.com")
    assert observed(first, second) == quiet(1, referrals=hosts)
    assert observed(first, second, declared=["DC9.example.COM"]) == quiet(1, referrals=hosts[:2])
    assert observed(first, second, declared=[host.upper() for host in hosts]) == quiet(1)
