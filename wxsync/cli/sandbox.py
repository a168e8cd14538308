"""`wxsync sandbox`: a local WeCom to rehearse against."""

from __future__ import annotations

import json

import click

from wxsync.sandbox.serve import base_url, run_sandbox
from wxsync.sandbox.state import SandboxState


@click.command()
@click.option("--listen", default="127.0.0.1:8099", show_default=True, help="HOST:PORT; port 0: a free one.")
@click.option("--corp-id", default=SandboxState.corp_id, show_default=True)
@click.option("--contact-secret", default=SandboxState.contact_secret, show_default=True)
@click.option("--token-life", type=float, default=7200, show_default=True, help="Seconds a token lives.")
@click.option("--trusted-ip", "trusted_ips", multiple=True, help="Refuse all other addresses (60020).")
@click.option("--legacy-ip", is_flag=True, help="Let contact sync read details, as from an address of old.")
@click.option("--latency", type=float, default=0.0, help="Seconds that every call takes.")
def sandbox(
    listen: str,
    corp_id: str,
    contact_secret: str,
    token_life: float,
    trusted_ips: tuple[str, ...],
    legacy_ip: bool,
    latency: float,
) -> None:
    """Serve a local WeCom until it is stopped.

    It holds an empty corp in memory and forgets it at the end. When it is ready it prints one JSON
    line with its address, corp_id and secrets.
    """
    host, port = _address(listen)
    state = SandboxState(
        corp_id=corp_id,
        contact_secret=contact_secret,
        token_life=token_life,
        trusted_ips=trusted_ips or None,
        legacy_ip=legacy_ip,
        latency=latency,
    )

    def say_ready(real_port: int) -> None:
        document = {
            "base_url": base_url(host, real_port),
            "corp_id": state.corp_id,
            "contact_secret": state.contact_secret,
            "apps": [{"agent_id": app.agent_id, "secret": app.secret} for app in state.apps],
        }
        click.echo(json.dumps(document))

    run_sandbox(state, host, port, say_ready)


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{listen!r} is not HOST:PORT, as in 127.0.0.1:8099", param_hint="--listen")
    return host.strip("[]"), int(port)
