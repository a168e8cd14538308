"""`wxsync install-service`: the files by which systemd runs the daemon."""

from __future__ import annotations

import os
import re
import shlex
import sysconfig
from pathlib import Path
from typing import Final

import click

from wxsync.cli.service_files import Installed, Placed, files_for
from wxsync.config.loader import OF_SYSTEM
from wxsync.errors import WxsyncError

USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
"""Such as systemd takes for sysusers.d, strictly (systemd.io/USER_NAMES)."""
UNSEEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev")  # noqa: S108 - named, not used
"""Below these the service sees nothing of what others see (ProtectHome, PrivateTmp, PrivateDevices)."""


@click.command("install-service")
@click.option(
    "--root",
    default=Path("/"),
    type=click.Path(path_type=Path, file_okay=False),
    help="Write below this directory, as for an image. [default: /]",
)
@click.option(
    "--config",
    default=OF_SYSTEM,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The config file that the service reads.",
)
@click.option("--user", default="wxsync", show_default=True, help="The user that the service runs as.")
@click.option(
    "--exec",
    "program",
    type=click.Path(path_type=Path),
    help="The wxsync that the service starts. [default: the one of this installation]",
)
@click.option("--force", is_flag=True, help="Replace what differs; never the config.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def install_service(
    root: Path, config: Path, user: str, program: Path | None, force: bool, dry_run: bool
) -> None:
    """Write systemd's files for the daemon: its unit, its user, its directories, and a config to begin with.

    It starts nothing. A file that is there and differs is shown and left alone, unless --force is given.
    """
    installed = Installed(config=_absolute(config, "--config"), user=_user(user), program=_program(program))
    for path in (installed.program, installed.config):
        if hidden := _unseen(path):
            click.echo(
                f"Warning: the service sees nothing below {hidden}, where {path} is. "
                "Have it elsewhere, such as in /opt/wxsync or /etc/wxsync",
                err=True,
            )
    files = files_for(installed)
    standing = [each for each in files if each.differs(root) and not each.is_config]
    for each in standing:
        click.echo(each.difference(root), nl=False)
    if standing and not (force or dry_run):
        names = ", ".join(str(each.below(root)) for each in standing)
        raise WxsyncError(
            f"not replaced, and nothing written: {names}",
            hint="have changes of your own in a drop-in (systemctl edit wxsync), then use --force",
        )
    for each in files:
        _write(each, root, dry_run=dry_run)
    if not dry_run:
        click.echo(_next_steps(installed, root))


def _write(placed: Placed, root: Path, *, dry_run: bool) -> None:
    path = placed.below(root)
    if placed.is_same(root) or (placed.is_config and placed.is_there(root)):
        click.echo(f"{path}: left as it is")
    elif dry_run:
        click.echo(f"{path}: would be written")
    else:
        placed.write(root)
        click.echo(f"{path}: written")


def _next_steps(installed: Installed, root: Path) -> str:
    below = "" if root == Path("/") else f" --root={shlex.quote(str(root))}"
    words = shlex.join([str(installed.program), "--config", str(installed.config), "check"])
    steps = [
        f"systemd-sysusers{below} wxsync.conf",
        f"systemd-tmpfiles{below} --create wxsync.conf",
        f"editor {installed.config}",
        f"sudo -u {installed.user} {words}",
        "systemctl daemon-reload",
        "systemctl enable --now wxsync",
        "systemctl status wxsync; journalctl -u wxsync",
    ]
    return "\n".join(["Next, as root:", *(f"  {step}" for step in steps)])


def _program(given: Path | None) -> Path:
    """By its name in this installation, and not by what a link of it leads to: that may be no wxsync."""
    path = Path(sysconfig.get_path("scripts")) / "wxsync" if given is None else _absolute(given, "--exec")
    if not os.access(path, os.X_OK):
        raise WxsyncError(
            f"there is no program {path}", hint="name the wxsync that the service starts with --exec PATH"
        )
    return path


def _absolute(path: Path, option: str) -> Path:
    """Such as systemd takes: it refuses a program with quotes in its path."""
    if not path.is_absolute() or any(each in "\"'\\" or not each.isprintable() for each in str(path)):
        raise click.BadParameter(
            f"{str(path)!r} is no absolute path without quotes and backslashes", param_hint=option
        )
    return path


def _user(name: str) -> str:
    if not USER.fullmatch(name):
        raise click.BadParameter(f"{name!r} is no name of a system user, such as wxsync", param_hint="--user")
    return name


def _unseen(path: Path) -> str | None:
    return next((place for place in UNSEEN if path.is_relative_to(place)), None)
