"""`wxsync sandbox`: a local WeCom to rehearse against."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from wxsync.cli.streams import going_on_without_reader
from wxsync.errors import WxsyncError
from wxsync.sandbox import export_files
from wxsync.sandbox.app import GETTOKEN, OPERATIONS
from wxsync.sandbox.call_log import logging_calls
from wxsync.sandbox.dump import check_writable, load_dump, restore, write_dump
from wxsync.sandbox.fault_file import load_faults
from wxsync.sandbox.receivers import CALLBACK_AES_KEY, CALLBACK_TOKEN, to_receiver
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.serve import base_url, run_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import ContactSync

FILE: Final = click.Path(dir_okay=False, path_type=Path)
MEMBERS_PER_DEPARTMENT: Final = 15
MOST_TAGS: Final = 10

REAL_LIMITS: Final = {
    "calls_per_minute": 10_000,
    "calls_per_hour": 150_000,
    "calls_per_minute_and_ip": 20_000,
    "calls_per_hour_and_ip": 600_000,
}
"""WeCom page 90312."""


@click.command()
@click.option("--listen", default="127.0.0.1:8099", show_default=True, help="HOST:PORT; port 0: a free one.")
@click.option("--seed", type=FILE, help="Begin with the corp in this file, as --dump writes it.")
@click.option("--members", type=click.IntRange(1, 100_000), help="Begin with so many made-up members.")
@click.option("--dump", type=FILE, help="Write the corp here at the end, and on SIGUSR1.")
@click.option("--log", type=FILE, help="Append every call here as a line of JSON.")
@click.option("--faults", type=FILE, help="Make the faults that this file orders (TOML or JSON).")
@click.option("--callback-url", help="Tell changes of contacts here, as contact sync's event server.")
@click.option("--app-callback-url", help="Tell clicks and ends of jobs here, as to the receiver of apps.")
@click.option("--callback-token", default=CALLBACK_TOKEN, show_default=True, help="Token of both.")
@click.option(
    "--callback-aes-key", default=CALLBACK_AES_KEY, show_default=True, help="EncodingAESKey of both."
)
@click.option("--corp-id", show_default=SandboxState.corp_id)
@click.option("--contact-secret", show_default=SandboxState.contact_secret)
@click.option(
    "--contact-sync",
    type=click.Choice([each.value for each in ContactSync]),
    show_default="edit",
    help="What the console lets the contact-sync secret do.",
)
@click.option("--foreign-secret", multiple=True, help="A secret of another corp (40091).")
@click.option("--app-scope", type=int, multiple=True, help="A department that apps see; else the root.")
@click.option("--sees-sensitive", is_flag=True, help="Show apps phone numbers and the like, as to old ones.")
@click.option("--token-life", type=float, default=7200, show_default=True, help="Seconds a token lives.")
@click.option("--trusted-ip", "trusted_ips", multiple=True, help="Refuse all other addresses (60020).")
@click.option("--legacy-ip", is_flag=True, help="Let contact sync read details, as from an address of old.")
@click.option("--account-cap", type=click.IntRange(0), help="Over it 45024; three times as many a month.")
@click.option("--calls-per-minute", type=click.IntRange(1), help="Of one path; over it 45009.")
@click.option("--calls-per-hour", type=click.IntRange(1), help="Of one path; over it 45009.")
@click.option("--calls-at-once", type=click.IntRange(1), help="Of one path; over it 45033.")
@click.option("--real-limits", is_flag=True, help="WeCom's own frequencies, for a corp and for an address.")
@click.option("--latency", type=float, default=0.0, help="Seconds that every call takes.")
def sandbox(
    listen: str,
    seed: Path | None,
    members: int | None,
    dump: Path | None,
    log: Path | None,
    faults: Path | None,
    **switches: Any,
) -> None:
    """Serve a local WeCom until it is stopped.

    It holds one corp in memory, an empty one unless told otherwise, and forgets it at the end. When it
    is ready it prints one JSON line with its address, corp_id and secrets; at the end, on stderr, one
    with what it counted.
    """
    host, port = _address(listen)
    state = _corp(seed, members)
    _turn(state, switches)
    if faults is not None:
        load_faults(faults, (*OPERATIONS, GETTOKEN, export_files.PATH)).order(state)
    if dump is not None:
        check_writable(dump)
    with logging_calls(state, log) if log else nullcontext():
        run_sandbox(
            state,
            host,
            port,
            lambda real_port: _say_ready(state, base_url(host, real_port)),
            on_usr1=None if dump is None else lambda: _dump_now(state, dump),
        )
    click.echo(json.dumps(state.counted()), err=True)
    if dump is not None:
        write_dump(state, dump)


def _corp(seed: Path | None, members: int | None) -> SandboxState:
    """The corp to begin with. One that serves for days keeps no log in memory."""
    if seed is not None and members is not None:
        raise click.UsageError("--seed and --members do not go together")
    state = SandboxState() if seed is None else restore(load_dump(seed))
    state.keeps_log = False
    if members is not None:
        fill_corp(
            state,
            members=members,
            departments=1 + members // MEMBERS_PER_DEPARTMENT,
            tags=min(MOST_TAGS, members),
        )
    return state


def _turn(state: SandboxState, switches: dict[str, Any]) -> None:
    """What was said on the command line goes before what the seed says."""
    if switches.pop("real_limits"):
        _set(state, REAL_LIMITS)
    _set_receivers(state, switches)
    state.refused_secrets = dict.fromkeys(switches.pop("foreign_secret"), 40091)
    scope, sees_sensitive = switches.pop("app_scope"), switches.pop("sees_sensitive")
    for id in scope:
        if id not in state.departments:
            raise click.BadParameter(f"there is no department {id}", param_hint="--app-scope")
    state.apps = tuple(
        replace(app, scope=scope or app.scope, sees_sensitive=sees_sensitive or app.sees_sensitive)
        for app in state.apps
    )
    if switches["contact_sync"] is not None:
        switches["contact_sync"] = ContactSync(switches["contact_sync"])
    _set(state, {name: value for name, value in switches.items() if value not in (None, False, ())})


def _set_receivers(state: SandboxState, switches: dict[str, Any]) -> None:
    """Only now, so that nobody is told of those with whom the corp begins."""
    token, aes_key = switches.pop("callback_token"), switches.pop("callback_aes_key")
    own, apps = switches.pop("callback_url"), switches.pop("app_callback_url")
    try:
        if own is not None:
            state.callback = to_receiver(own, token, aes_key)
        if apps is not None:
            receiver = to_receiver(apps, token, aes_key)
            state.apps = tuple(replace(app, receiver=receiver) for app in state.apps)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _set(state: SandboxState, switches: dict[str, Any]) -> None:
    for name, value in switches.items():
        setattr(state, name, value)


def _say_ready(state: SandboxState, url: str) -> None:
    document = {
        "base_url": url,
        "corp_id": state.corp_id,
        "contact_secret": state.contact_secret,
        "apps": [{"agent_id": app.agent_id, "secret": app.secret} for app in state.apps],
    }
    with going_on_without_reader():
        click.echo(json.dumps(document))


def _dump_now(state: SandboxState, path: Path) -> None:
    """A file that cannot be written now is no reason to stop serving."""
    try:
        write_dump(state, path)
    except WxsyncError as error:
        click.echo(f"Error: {error.message}", err=True)


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{listen!r} is not HOST:PORT, as in 127.0.0.1:8099", param_hint="--listen")
    return host.strip("[]"), int(port)
