"""`wxsync serve`: the daemon."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Final, NoReturn

import click

from wxsync.cli.invocation import Invocation
from wxsync.cli.options import config_option
from wxsync.config.loader import find_config, load_settings
from wxsync.errors import WxsyncError
from wxsync.service.current import Current
from wxsync.service.logs import configure_logs
from wxsync.service.serving import serve as serve_until_told
from wxsync.service.systemd import Systemd

EXIT_ERROR: Final = 1


@click.command()
@config_option
def serve(config: Path | None) -> None:
    """Run day and night: each sync when its time comes, callbacks, health and metrics.

    Made for systemd (`wxsync install-service`). SIGHUP reads the config again, SIGUSR1 begins a run of every
    sync, SIGTERM ends the step in hand and leaves within 20 seconds. A line of JSON says when it is up.
    """
    invocation = click.get_current_context().ensure_object(Invocation)
    loaded = load_settings(find_config(config or invocation.config))
    invocation.configured_language = loaded.settings.service.language
    for warning in loaded.warnings:
        click.echo(f"Warning: {warning}", err=True)
    current = Current(loaded)
    configure_logs(loaded.settings.service, current.secrets)
    try:
        serve_until_told(current, Systemd.take(), on_ready=_say_ready)
    except WxsyncError as error:
        if _hangs():
            click.echo(f"Error: {error.message}", err=True)
            _leave_at_once(EXIT_ERROR)
        raise
    if _hangs():
        _leave_at_once(0)


def _say_ready(port: int) -> None:
    click.echo(json.dumps({"ready": True, "port": port}))


def _hangs() -> bool:
    """A thread still waits for a source or a server; Python would wait for it at the end."""
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    return any(not each.daemon for each in others)


def _leave_at_once(code: int) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
