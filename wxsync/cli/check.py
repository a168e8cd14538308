"""`wxsync check`: does all that the config names work, what can be seen, and how is the rest mended?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import click

from wxsync.cli import diagnosis
from wxsync.cli.finding import Finding, Level, fault, ok
from wxsync.cli.line_findings import of_line
from wxsync.cli.options import chosen_sync, config_option, open_settings
from wxsync.cli.output import counted
from wxsync.cli.source import findings_of
from wxsync.cli.waiting import run_to_end
from wxsync.cli.watch_findings import of_watching
from wxsync.config.settings import Settings
from wxsync.engine.corp import Corp
from wxsync.engine.looking import MONTH
from wxsync.engine.shrinking import refuse_emptiness, refuse_halved_files
from wxsync.engine.watching import how_watched
from wxsync.errors import WeComError, WxsyncError
from wxsync.mirror import journal, links
from wxsync.mirror.journal import RunHistory
from wxsync.mirror.ways import forget_way
from wxsync.model.desired import Desired
from wxsync.model.glance import Looked
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.run import OutcomeState
from wxsync.model.seen import SeenTag
from wxsync.report.wording import readable_time
from wxsync.runtime import LOOKING_ON, forget_refusals, look_at_line, open_corp
from wxsync.sources.glance import look
from wxsync.wecom.errcodes.codes import MAIL_BOX_REFUSED, TAG_OF_ANOTHER
from wxsync.wecom.probe import Insight, probe, unseen_departments
from wxsync.wecom.reach import environment_proxies


@dataclass(slots=True, kw_only=True)
class Facts:
    """What was learned of a corp on the way, for what is said later."""

    departments: frozenset[int] = frozenset()
    is_listed: bool = False
    """Contact sync sees who and what there is."""
    is_app_seen: bool = False
    insight: Insight | None = None
    tags: tuple[SeenTag, ...] = ()
    last: RunHistory | None = None


@click.command()
@click.argument("sync", required=False)
@click.option("--retry", is_flag=True, help="Ask WeCom again with secrets that it has refused before.")
@config_option
def check(sync: str | None, retry: bool, config: Path | None) -> int:
    """Connect to everything; say what works, what is seen, and how to mend the rest. Writes nothing."""
    settings = open_settings(config)
    _say(ok("the config can be used"))
    names = [chosen_sync(settings, sync)] if sync or len(settings.sync) == 1 else sorted(settings.sync)
    return max([run_to_end(_check(settings, name, retry=retry)) for name in names], default=0)


async def _check(settings: Settings, sync: str, *, retry: bool) -> int:
    has_fault = False
    async with aclosing(_findings(settings, sync, retry=retry)) as findings:
        async for finding in findings:
            _say(finding, f"sync {sync}: ")
            has_fault |= finding.level is Level.FAULT
    return 1 if has_fault else 0


def _say(finding: Finding, prefix: str = "") -> None:
    text = finding.text.replace("\n", "\n         ")
    click.echo(f"{finding.level.value:<9}{prefix}{text}")
    if finding.cure:
        click.echo(f"         {finding.cure}")


async def _findings(settings: Settings, sync: str, *, retry: bool) -> AsyncGenerator[Finding, None]:
    facts = Facts()
    try:
        name = settings.sync[sync].corp
        forgotten = await asyncio.to_thread(forget_refusals, settings, name) if retry else 0
        async with open_corp(settings, sync, patience=LOOKING_ON) as corp:
            yield ok("the mirror is there and its schema fits")
            if retry:
                await asyncio.to_thread(_forget_way, corp)
                yield ok(f"{counted(forgotten, 'refused secret')} forgotten: WeCom is asked again")
            async for finding in _of_wecom(settings, corp, facts):
                yield finding
            for finding in of_watching(await how_watched(corp)):
                yield finding
            try:
                looked, known = await asyncio.to_thread(_read, corp)
                for finding in findings_of(looked, _counts(looked.desired)):
                    yield finding
                for finding in _of_wishes(looked.desired, known, facts, corp):
                    yield finding
            except WxsyncError as error:
                yield fault(f"the source: {error.message}", error.hint)
    except WxsyncError as error:
        yield fault(error.message, error.hint)


# WeCom


async def _of_wecom(settings: Settings, corp: Corp, facts: Facts) -> AsyncIterator[Finding]:
    """The line first; with nothing there to answer, no secret is tried."""
    proxy, environment = settings.corp[corp.name].proxy, environment_proxies()
    seen = await look_at_line(settings, corp.name)
    has_proxy = proxy is not None and (proxy != "env" or bool(environment))
    direct = await look_at_line(settings, corp.name, without_proxy=True) if has_proxy else None
    found = of_line(seen, direct, corp=f"corp.{corp.name}", proxy=proxy, environment=environment)
    for finding in found:
        yield finding
    if seen.obstacle is not None:
        return
    try:
        async for finding in _of_contact_sync(corp, facts):
            yield finding
    except WeComError as error:
        yield diagnosis.of_refusal("WeCom", error, is_app=False, has_proxy=has_proxy)
    if corp.app is not None:
        yield await _of_app(corp, facts, has_proxy=has_proxy)
    if facts.is_listed:
        try:
            facts.insight = await probe(corp.wecom, corp.app if facts.is_app_seen else None)
            has_app = corp.app is not None
            for finding in diagnosis.of_way(facts.insight, corp=f"corp.{corp.name}", has_app=has_app):
                yield finding
        except WeComError as error:
            yield diagnosis.of_refusal("WeCom", error, is_app=False, has_proxy=has_proxy)


async def _of_contact_sync(corp: Corp, facts: Facts) -> AsyncIterator[Finding]:
    """What the contact-sync secret sees, and whether it may write as far as that can be known."""
    facts.departments = frozenset(department.id for department in await corp.wecom.list_departments())
    yield ok(f"WeCom answers; it has {counted(len(facts.departments), 'department')}")
    members = await corp.wecom.list_member_ids()
    facts.tags = await corp.wecom.list_tags()
    facts.is_listed = True
    facts.last, created = await asyncio.to_thread(_history, corp)
    for finding in diagnosis.of_cap(len(members), created, corp.account_cap):
        yield finding
    yield _of_writing(facts.last)


async def _of_app(corp: Corp, facts: Facts, *, has_proxy: bool) -> Finding:
    """What the app does not see of the departments that contact sync sees."""
    try:
        unseen = await unseen_departments(corp.app, facts.departments) if corp.app else frozenset()
    except WeComError as error:
        return diagnosis.of_refusal("the app at WeCom", error, is_app=True, has_proxy=has_proxy)
    facts.is_app_seen = True
    return diagnosis.of_scope(unseen, len(facts.departments))


# What the mirror knows


def _history(corp: Corp) -> tuple[RunHistory | None, int]:
    """The last run that wrote, and how many members were created within WeCom's month."""
    with corp.store.reading() as connection:
        since = corp.clock() - MONTH
        return journal.last_written(connection, corp.name), journal.creations_since(
            connection, corp.name, since
        )


def _of_writing(last: RunHistory | None) -> Finding:
    if last is None:
        return diagnosis.of_writing_unknown()
    was_done = any(each.state is OutcomeState.DONE and each.attempts for each in last.outcomes)
    errcodes = {each.errcode for each in last.outcomes if each.errcode is not None}
    at = readable_time(last.run.started_at)
    return diagnosis.of_writing(errcodes, was_done=was_done, run=last.run.id, at=at)


def _forget_way(corp: Corp) -> None:
    with corp.store.transaction() as connection:
        forget_way(connection, corp.name)


def _refused(last: RunHistory | None, sync: str, errcodes: frozenset[int]) -> list[str]:
    """The keys of what WeCom refused this sync for one of these reasons when it last wrote."""
    if last is None or last.document is None or last.run.sync != sync:
        return []
    keys = {change["n"]: str(change["key"]) for change in json.loads(last.document)["changes"]}
    return [keys[each.n] for each in last.outcomes if each.errcode in errcodes and each.n in keys]


# The source, and what it wants of WeCom


def _read(corp: Corp) -> tuple[Looked, Remembered]:
    """What a plan would work with; a source that is suddenly empty is a fault here as it is there."""
    looked = look(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    with corp.store.reading() as connection:
        known = links.load(connection, corp.name, corp.sync)
    refuse_emptiness(looked.desired, known, authority=corp.settings.sources[0])
    refuse_halved_files(looked.desired, known)
    return looked, known


def _counts(desired: Desired) -> str:
    proven = "" if desired.is_complete else "; the reading is NOT proven complete"
    given = (
        counted(len(desired.members), "person", "people"),
        counted(len(desired.departments), "department"),
        counted(len(desired.tags), "tag"),
    )
    return f"gives {', '.join(given)}; {len(desired.rejected)} rejected{proven}"


def _of_wishes(desired: Desired, known: Remembered, facts: Facts, corp: Corp) -> Iterator[Finding]:
    """Tags and corp mailboxes that WeCom may not take, as far as a reading tells."""
    ours = {tag.id for tag in known.tags.values() if tag.state is not LinkState.GONE}
    ours |= known.elsewhere_tag_ids
    adoptable = {tag.name for tag in facts.tags if tag.name in desired.tags and tag.id not in ours}
    refused = _refused(facts.last, corp.sync, frozenset({TAG_OF_ANOTHER}))
    yield from diagnosis.of_tags(adoptable, refused)
    mails = [member.biz_mail for member in desired.members.values()]
    wanted = {mail.rpartition("@")[2].lower() for mail in mails if isinstance(mail, str)}
    seen = facts.insight.mail_domains if facts.insight else frozenset()
    yield from diagnosis.of_mail(wanted, seen, len(_refused(facts.last, corp.sync, MAIL_BOX_REFUSED)))
