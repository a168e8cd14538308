"""A watched directory: what is asked between two readings, and that it decides nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.directory import deleted, modified
from tests.journeys.ldap import LdapStory, ldap_story
from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.directory import company, ldap_source, person
from wxsync.cli.output import EXIT_DONE, EXIT_PARTLY, EXIT_REFUSED
from wxsync.config.settings import LdapSourceSettings
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.engine.watching import has_stirred, how_watched
from wxsync.mirror.watch_marks import load_marks, save_marks
from wxsync.model.watch import Stirred
from wxsync.service.stirring import Stirring
from wxsync.sources.base import RowStream, SourceSession
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_session import LdapSession

SESSIONLOG = "syncprov-sessionlog 1000\n"
PASSWORDS = "to attrs=userPassword by anonymous auth by * none"


@dataclass(kw_only=True)
class Scene:
    """A company that was loaded into WeCom from a watched directory."""

    server: SlapdServer
    story: LdapStory

    def ask(self, since: dict[str, str] | None = None) -> Stirred:
        """What the daemon asks; WeCom is not called, and not one write is made."""
        calls = len(self.story.stage.state.log)
        (stirred,) = self.story.stage.act(lambda corp: has_stirred(corp, since))
        assert len(self.story.stage.state.log) == calls
        return stirred

    @property
    def marks(self) -> dict[str, str]:
        """What the mirror holds."""

        async def load(corp: Corp) -> dict[str, str]:
            with corp.store.reading() as connection:
                return load_marks(connection, corp.name, corp.sync)

        return self.story.stage.act(load)

    def put_mark(self, mark: str) -> None:
        async def save(corp: Corp) -> None:
            with corp.store.transaction() as connection:
                save_marks(connection, corp.name, corp.sync, {"hr": mark})

        self.story.stage.act(save)


@pytest.fixture
def scene(make_slapd: MakeSlapd, tmp_path: Path) -> Scene:
    server = make_slapd(company(40), overlays=SESSIONLOG)
    story = ldap_story(tmp_path, server.url)
    story.read_from(server.url, watch=True)
    assert story.apply().code == EXIT_DONE
    return Scene(server=server, story=story)


def test_an_applied_reading_is_what_it_is_asked_from(scene: Scene) -> None:
    """Quiet; changed after a change, until a reading that has it was applied, were it for nothing."""
    assert scene.ask().is_quiet
    scene.server.change(modified(person(7)[0], title="new"))  # which the mapping does not read
    for _ in range(2):
        stirred = scene.ask()
        assert (stirred.is_quiet, stirred.why, stirred.keys) == (False, None, frozenset({"E00007"}))
    ended = scene.story.apply()
    assert ended.run is not None
    assert ended.run.plan.writes == ()
    assert scene.ask().is_quiet
    assert scene.marks == {"hr": scene.ask().mark}


def test_a_deletion_that_is_seen_removes_nobody(scene: Scene) -> None:
    """However often it is asked. Who is gone goes by the next full reading, under all of its checks."""
    before = copy.deepcopy(scene.story.wecom())
    for number in range(30):
        scene.server.change(deleted(person(number)[0]))
    for _ in range(5):
        assert not scene.ask().is_quiet
    assert scene.story.wecom() == before
    ended = scene.story.apply()  # 30 of 40 are over the limit
    assert ended.code == EXIT_REFUSED
    assert scene.story.wecom() == before
    assert not scene.ask().is_quiet


def test_quiet_removes_and_spares_nobody(scene: Scene) -> None:
    """A plan reads in full, whatever the mark says of the directory."""
    for number in (3, 4):
        scene.server.change(deleted(person(number)[0]))
    scene.put_mark(str(scene.ask().mark))
    assert scene.ask().is_quiet
    ended = scene.story.apply()
    assert ended.run is not None
    assert {change.key for change in ended.run.plan.writes} == {"E00003", "E00004"}


class TestTheMarkStays:
    """Where what was read was not applied as a whole, the question is asked from the reading before."""

    def test_after_a_reading_that_is_not_complete(self, scene: Scene) -> None:
        """Creations and updates are written; whoever is gone is still there."""
        kept = scene.marks
        scene.server.change(modified(person(7)[0], mail="other@example.com"))
        scene.server.change(deleted(person(8)[0]))
        scene.story.read_from(scene.server.url, watch=True, canaries=["E99999"])
        ended = scene.story.apply()
        assert ended.code == EXIT_PARTLY
        assert scene.marks == kept
        assert not scene.ask().is_quiet

    def test_after_a_plan(self, scene: Scene) -> None:
        """Nothing of it was done, and it holds no lease."""
        kept = scene.marks
        scene.server.change(modified(person(7)[0], mail="other@example.com"))
        scene.story.stage.plan()
        assert scene.marks == kept
        assert not scene.ask().is_quiet

    def test_after_a_refusal(self, scene: Scene) -> None:
        """Whoever waits for a yes asks from the answer that was acted upon."""
        kept = scene.marks
        for number in range(30):
            scene.server.change(deleted(person(number)[0]))
        acted_upon = scene.ask()
        assert scene.story.apply().code == EXIT_REFUSED
        assert scene.marks == kept
        assert not scene.ask().is_quiet
        assert scene.ask({"hr": str(acted_upon.mark)}).is_quiet

    def test_after_changes_of_one_person(self, scene: Scene) -> None:
        """The others have theirs still before them."""
        from_before = scene.marks
        for number in (7, 8):
            scene.server.change(modified(person(number)[0], mail=f"other{number}@example.com"))

        async def repair(corp: Corp) -> None:
            async with holding(corp, "manual") as held:
                run_id, decision = await preview(corp, verb="repair", person="E00007")
                await carry_out(corp, run_id, decision, held)

        scene.story.stage.act(repair)
        assert scene.marks == from_before
        assert not scene.ask().is_quiet


@dataclass
class Meddled:
    """The directory, in which somebody is at work while it is read."""

    whole: LdapSource
    meddle: Callable[[], None]

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.whole.canaries

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        with self.whole.open() as session:
            yield MeddledSession(session, self.meddle)


@dataclass
class MeddledSession:
    whole: LdapSession
    meddle: Callable[[], None]

    def mark(self) -> str | None:
        return self.whole.mark()

    def has(self, query: str) -> bool:
        return self.whole.has(query)

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        if query == "members":
            self.meddle()
        return self.whole.read(query, names)


def test_what_changes_while_it_is_read_has_changed_since(scene: Scene) -> None:
    """The mark is taken before the first row: a change counts, whether or not it was read."""
    stage = scene.story.stage
    source = LdapSource("hr", ldap_settings(scene.server))
    stage.sources = [
        Meddled(source, lambda: scene.server.change(modified(person(7)[0], mail="other@example.com")))
    ]
    assert scene.story.apply().code == EXIT_DONE
    stage.sources = None
    stirred = scene.ask()
    assert (stirred.is_quiet, stirred.why, stirred.keys) == (False, None, frozenset({"E00007"}))
    assert scene.story.apply().code == EXIT_DONE
    assert scene.ask().is_quiet


class TestNobodyCanTell:
    """Then all is read when the schedule says so, and nothing else happens."""

    def test_before_the_first_load(self, make_slapd: MakeSlapd, tmp_path: Path) -> None:
        """No reading has left a mark."""
        server = make_slapd(company(4))
        story = ldap_story(tmp_path, server.url)
        story.read_from(server.url, watch=True)
        scene = Scene(server=server, story=story)
        assert str(scene.ask().why) == "no whole reading that was applied has left a mark"

    def test_by_a_mark_that_somebody_wrote(self, scene: Scene) -> None:
        """The next run that is applied puts it right."""
        scene.put_mark("DROP TABLE")
        stirred = scene.ask()
        assert (stirred.is_quiet, str(stirred.why)) == (False, "the mark cannot be read")
        assert scene.story.apply().code == EXIT_DONE
        assert scene.ask().is_quiet

    def test_of_a_server_that_is_gone(self, scene: Scene) -> None:
        """An answer, and no error: the daemon goes on."""
        scene.server.stop()
        assert str(scene.ask().why).startswith("it cannot be asked: source hr: cannot connect: ")
        (watching,) = scene.story.stage.act(how_watched)
        assert str(watching.why).startswith("it cannot be asked: source hr: cannot connect: ")

    def test_where_the_server_hides_its_count(self, scene: Scene) -> None:
        """The mark goes with the next run that is applied: it would be that of an older reading."""
        hidden = [f"{{0}}{PASSWORDS}", "{1}to attrs=contextCSN by * none", "{2}to * by * read"]
        scene.server.limit(olcAccess=hidden)
        assert scene.story.apply().code == EXIT_DONE
        assert scene.marks == {}


def test_only_what_the_config_has_watched_is_asked(scene: Scene) -> None:
    """Without `watch` there is no answer and no mark."""
    scene.story.read_from(scene.server.url)
    stage = scene.story.stage
    assert stage.act(has_stirred) == ()
    assert stage.act(how_watched) == ()
    assert scene.story.apply().code == EXIT_DONE
    assert scene.marks == {}


def test_the_daemon_acts_upon_a_change_once(scene: Scene) -> None:
    """Also where the run that follows is not applied. A source that is down is no change."""
    stage = scene.story.stage

    async def act(corp: Corp) -> list[bool]:
        stirring = Stirring(corp.store, lambda _sync: nullcontext(corp))

        async def ask() -> bool:
            return await stirring.has_changed(stage.settings, corp.sync)

        told = [await ask()]
        scene.server.change(modified(person(7)[0], title="new"))
        told += [await ask(), await ask()]
        scene.server.change(modified(person(8)[0], title="new"))
        told += [await ask(), await ask()]
        scene.server.stop()
        return [*told, await ask(), await ask()]

    assert stage.act(act) == [False, True, False, True, False, False, False]


def ldap_settings(server: SlapdServer, **more: Any) -> LdapSourceSettings:
    return ldap_source(server, watch=True, **more).settings
