"""`wxsync serve`: the daemon."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path

import click

from wxsync.cli.invocation import Invocation
from wxsync.cli.options import config_option
from wxsync.config.loader import find_config, load_settings
from wxsync.service.current import Current
from wxsync.service.logs import configure_logs
from wxsync.service.serving import serve as serve_until_told
from wxsync.service.systemd import Systemd


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
    serve_until_told(current, Systemd.take(), on_ready=_say_ready)
    _leave_at_once()


def _say_ready(port: int) -> None:
    click.echo(json.dumps({"ready": True, "port": port}))


def _leave_at_once() -> None:
    """Where a thread still waits for a source or a server, nobody waits for that thread."""
    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
