"""`wxsync wecom CALL`: any call of WeCom that reads, for looking."""

from __future__ import annotations

from pathlib import Path

import click

from wxsync.cli.answers import as_json, print_answer
from wxsync.cli.options import config_option, open_settings
from wxsync.cli.output import stdout_console
from wxsync.cli.streams import going_on_without_reader
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.config.suggestions import did_you_mean
from wxsync.report.as_json import to_json
from wxsync.runtime import open_reads
from wxsync.wecom.call_table import NEVER, READS, WRITES
from wxsync.wecom.calls import ArgumentError, Found, Given, ReadCall, Secret, to_given

FORMAT = "wxsync-wecom/1"
ABOUT = "https://developer.work.weixin.qq.com/document/path/"


@click.command(add_help_option=False)
@click.argument("call", required=False)
@click.argument("arguments", nargs=-1)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json is one document on stdout, with full values.",
)
@click.option(
    "--secret",
    type=click.Choice([secret.value for secret in Secret]),
    help="Whose secret to ask with [default: the one that shows most of those that are configured].",
)
@click.option("--corp", metavar="NAME", help="Which corp of the config, where it has several.")
@click.option("--show-personal", is_flag=True, help="Show phone numbers and addresses in full.")
@config_option
@click.option("--help", "-h", "wants_help", is_flag=True, help="Show what the call is, and its arguments.")
@click.pass_context
def wecom(
    ctx: click.Context,
    call: str | None,
    arguments: tuple[str, ...],
    format_: str,
    secret: str | None,
    corp: str | None,
    show_personal: bool,
    config: Path | None,
    wants_help: bool,
) -> None:
    """Ask WeCom one CALL that reads, by WeCom's own name, with ARGUMENTS as name=value.

    Without CALL it lists all of them. Writes nothing: that goes through plan and apply.
    """
    if call is None:
        click.echo(ctx.get_help() if wants_help else _all_calls())
        return
    chosen = _chosen_call(call)
    if wants_help:
        click.echo(_help_of(chosen))
        return
    given = _given(chosen, arguments)
    settings = open_settings(config)
    name = _chosen_corp(settings, corp)
    by = Secret(secret) if secret else _best_secret(settings, name, chosen)
    answer = as_json(run_to_end(_ask(settings, name, by, chosen, given)))
    if format_ == "json":
        document = {"format": FORMAT, "call": chosen.path, "corp": name, "secret": by.value, "answer": answer}
        with going_on_without_reader():
            click.echo(to_json(document), nl=False)
    else:
        print_answer(answer, stdout_console(), show_personal=show_personal)


async def _ask(settings: Settings, corp: str, secret: Secret, call: ReadCall, given: Given) -> Found:
    async with open_reads(settings, corp, secret) as reads:
        return await reads.ask(call, given)


def _chosen_call(path: str) -> ReadCall:
    if path in READS:
        return READS[path]
    if path in WRITES:
        raise click.UsageError(
            f"{path} writes, and writing goes through plan and apply; for one person: "
            "wxsync apply --only-person KEY"
        )
    if path in NEVER:
        raise click.UsageError(f"{path} gives a secret, which is shown to nobody.")
    raise click.UsageError(f"No such call {path!r}.{did_you_mean(path, READS)} `wxsync wecom` lists all.")


def _given(call: ReadCall, words: tuple[str, ...]) -> Given:
    try:
        return to_given(call, words)
    except ArgumentError as error:
        raise click.UsageError(f"{error}. See: wxsync wecom {call.path} --help") from None


def _chosen_corp(settings: Settings, corp: str | None) -> str:
    names = sorted(settings.corp)
    if corp is None and len(names) == 1:
        return names[0]
    listed = ", ".join(names) or "none"
    if corp is None:
        raise click.UsageError(f"Which corp? The config has: {listed}. Say so with --corp.")
    if corp not in names:
        raise click.UsageError(f"There is no corp {corp!r} in the config; it has: {listed}.")
    return corp


def _best_secret(settings: Settings, corp: str, call: ReadCall) -> Secret:
    """The first that is configured of those that WeCom takes; an app's where only that would do."""
    has_app = settings.corp[corp].app is not None
    return next((one for one in call.secrets if has_app or one is Secret.CONTACT), Secret.APP)


def _all_calls() -> str:
    width = max(map(len, READS))
    lines = [f"  {path:<{width}}  {call.about}" for path, call in READS.items()]
    more = "Ask with: wxsync wecom CALL name=value …   More of one: wxsync wecom CALL --help"
    return "\n".join(["Calls that read:", *lines, "", more])


def _help_of(call: ReadCall) -> str:
    arguments = [
        f"  {one.name}={'…' if one.is_required else '… (may be left out)'}  {one.about}"
        for one in call.arguments
    ]
    usual = " ".join(f"{one.name}=…" for one in call.arguments if one.is_required)
    return "\n".join(
        [
            f"Usage: wxsync wecom {call.path} {usual}".rstrip(),
            "",
            f"  {call.about[:1].upper()}{call.about[1:]}.",
            "",
            *(["Arguments:", *arguments, ""] if arguments else []),
            f"Secret: {' or '.join(one.value for one in call.secrets)}",
            f"WeCom's page: {ABOUT}{call.page}",
        ]
    )
