"""`wxsync status` and `wxsync runs`: what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from wxsync.cli.options import config_option, open_mirror, open_settings
from wxsync.cli.output import counted, stdout_console
from wxsync.errors import WxsyncError
from wxsync.mirror import journal, links, notices
from wxsync.mirror.journal import RunHistory, RunRecord
from wxsync.mirror.notices import Undelivered
from wxsync.model.notice import NoticeState
from wxsync.model.remembered import LinkState, Remembered
from wxsync.report.as_json import moment
from wxsync.report.locale import translate
from wxsync.report.masking import mask_by_look
from wxsync.report.wording import readable_time
from wxsync.runtime import utc_now

MOST = 2**31 - 1
"""The highest number that every database takes."""

UNDELIVERED_FOR = timedelta(days=7)
FATES_OF_NOTICES = {
    NoticeState.WAITING.value: "not sent yet, it is tried again",
    NoticeState.UNKNOWN.value: "nobody knows whether it arrived, it is not sent again",
    NoticeState.GIVEN_UP.value: "given up",
}

MOST_KEYS = 10
"""So many people are named where something is said of several."""

FORMAT = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.command()
@FORMAT
@config_option
def status(format_: str, config: Path | None) -> None:
    """Show each sync: its last run, how many records are ours, and what is not proven of them."""
    settings = open_settings(config)
    with open_mirror(settings) as store, store.reading() as connection:
        last = {record.sync: record for record in reversed(journal.runs(connection, 1000))}
        lost = notices.undelivered(connection, utc_now() - UNDELIVERED_FOR)
        rows: list[dict[str, Any]] = []
        for name, sync in sorted(settings.sync.items()):
            known = links.load(connection, sync.corp, name)
            unproven = _unproven(known)
            rows.append(
                {
                    "sync": name,
                    "corp": sync.corp,
                    "mode": sync.mode,
                    "members": _ours(known.members.values()),
                    "departments": _ours(known.departments.values()),
                    "tags": _ours(known.tags.values()),
                    "unproven_mobiles": len(unproven),
                    "unproven_keys": unproven[:MOST_KEYS],
                    "last_run": _record(last[name]) if name in last else None,
                    "undelivered": [_undelivered(each) for each in lost if each.sync == name],
                }
            )
    if format_ == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(f"{row['sync']} (corp {row['corp']}, mode {row['mode']})")
        ours = (counted(row[f"{kind}s"], kind) for kind in ("member", "department", "tag"))
        click.echo(f"  ours: {', '.join(ours)}")
        if row["unproven_mobiles"]:
            click.echo(f"  phone numbers sent and not proven: {_unproven_text(row)}")
        run = row["last_run"]
        click.echo(
            f"  last run: {run['id']} {run['verb']} {run['state']} at {run['started_at']}"
            if run
            else "  last run: none yet; start with `wxsync plan`"
        )
        for told in row["undelivered"][:MOST_KEYS]:
            click.echo(f"  {_undelivered_text(told)}")


def _undelivered(notice: Undelivered) -> dict[str, Any]:
    return {
        "id": notice.id,
        "channel": notice.channel,
        "kind": notice.kind.value,
        "state": notice.state.value,
        "at": moment(notice.at),
        "problem": notice.problem,
    }


def _undelivered_text(told: dict[str, Any]) -> str:
    """What people may not know, and why."""
    fate = FATES_OF_NOTICES[told["state"]]
    return (
        f"notice {told['id']} ({told['kind']}) by {told['channel']}, {told['at']}: {fate}: {told['problem']}"
    )


def _ours(remembered: Any) -> int:
    return sum(link.state is LinkState.OURS for link in remembered)


def _unproven(known: Remembered) -> list[str]:
    """Keys of the members of ours whose phone number WeCom may have ignored."""
    return sorted(
        key
        for key, link in known.members.items()
        if link.state is LinkState.OURS and "mobile" in link.unproven
    )


def _unproven_text(row: dict[str, Any]) -> str:
    keys, number = row["unproven_keys"], row["unproven_mobiles"]
    more = f" and {number - len(keys)} more" if number > len(keys) else ""
    return f"{number} ({', '.join(keys)}{more})"


@click.command()
@click.argument("run", type=click.IntRange(1, MOST), required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    help="How many of the last runs.",
)
@FORMAT
@click.option("--language", type=click.Choice(["zh", "en"]), help="[default: service.language]")
@config_option
def runs(run: int | None, limit: int, format_: str, language: str | None, config: Path | None) -> None:
    """Show the last runs, or one RUN with its outcomes."""
    settings = open_settings(config)
    with open_mirror(settings) as store, store.reading() as connection:
        if run is None:
            _show_runs(journal.runs(connection, limit), format_)
            return
        history = journal.run(connection, run)
    if history is None:
        raise WxsyncError(f"there is no run {run}", hint="`wxsync runs` lists them")
    _show_run(history, format_, language or settings.service.language)


def _show_runs(records: Sequence[RunRecord], format_: str) -> None:
    if format_ == "json":
        click.echo(json.dumps([_record(record) for record in records], ensure_ascii=False, indent=2))
        return
    if not records:
        click.echo("No run yet. Start with `wxsync plan`.")
        return
    table = Table(box=None)
    for heading in ("run", "sync", "what", "state", "started", "outcomes", "error"):
        table.add_column(heading)
    for record in records:
        counts = ", ".join(f"{number} {state.value}" for state, number in record.counts.items())
        table.add_row(
            str(record.id),
            record.sync,
            record.verb,
            record.state.value,
            readable_time(record.started_at),
            counts,
            record.error or "",
        )
    stdout_console().print(table)


def _show_run(history: RunHistory, format_: str, language: str) -> None:
    plan = json.loads(history.document) if history.document else None
    outcomes = [
        {
            "n": outcome.n,
            "state": outcome.state.value,
            "errcode": outcome.errcode,
            "hint": translate(outcome.hint, language) if outcome.hint else None,
            "attempts": outcome.attempts,
        }
        for outcome in history.outcomes
    ]
    if format_ == "json":
        document = {"format": "wxsync-run/1", **_record(history.run), "plan": plan, "outcomes": outcomes}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    record = history.run
    click.echo(f"run {record.id} of {record.sync}: {record.verb}, {record.state.value}")
    click.echo(f"  started {readable_time(record.started_at)}")
    if record.finished_at:
        click.echo(f"  finished {readable_time(record.finished_at)}")
    if record.error:
        click.echo(f"  {record.error}")
    if record.digest:
        click.echo(f"  plan {record.digest}")
    for line in _left_out(plan or {}):
        click.echo(f"  {line}")
    changes = {change["n"]: change for change in plan["changes"]} if plan else {}
    for outcome in outcomes:
        change = changes.get(outcome["n"], {})
        key = mask_by_look(str(change.get("key") or ""))
        what = f"{change.get('verb', '')} {change.get('kind', '')} {key}"
        reason = f": {outcome['errcode'] or ''} {outcome['hint'] or ''}".rstrip(": ")
        click.echo(f"  {outcome['n']:>5} {outcome['state']:<8} {what}{reason}")


def _left_out(plan: Mapping[str, Any]) -> Iterator[str]:
    """Who was in groups of the source and nobody of the sync; nothing in plans of earlier versions."""
    for query in plan.get("left_out", ()):
        groups = [f"{mask_by_look(group['name'])} {group['count']}" for group in query["groups"]]
        more = f" and {len(groups) - MOST_KEYS} more" if len(groups) > MOST_KEYS else ""
        named = f": {', '.join(groups[:MOST_KEYS])}{more}" if groups else ""
        yield f"{query['source']}.{query['query']}: {query['count']} left out{named}"


def _record(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "sync": record.sync,
        "verb": record.verb,
        "trigger": record.trigger,
        "state": record.state.value,
        "started_at": moment(record.started_at),
        "finished_at": moment(record.finished_at) if record.finished_at else None,
        "digest": record.digest,
        "approved_by": record.approved_by,
        "error": record.error,
        "counts": {state.value: number for state, number in record.counts.items()},
    }
