"""Addresses to which the sandbox sends callbacks, and the callbacks that wait to be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

URL: Final = re.compile(r"https?://[^\s/]+\S*")
TOKEN: Final = re.compile(r"[A-Za-z0-9]{1,32}")
AES_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")

CALLBACK_TOKEN: Final = "sandboxtoken"
CALLBACK_AES_KEY: Final = "sandboxsandboxsandboxsandboxsandboxsandbox0"
"""Of the addresses that `wxsync sandbox` is given, unless it is told others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A callback address as it is saved in the console, or comes with a batch job (WeCom page 96238)."""

    url: str
    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)


def to_receiver(url: str, token: str, encoding_aes_key: str) -> Receiver:
    """A receiver that the console would take; `ValueError` names what it would not, without its value."""
    for name, value, form in (
        ("url", url, URL),
        ("token", token, TOKEN),
        ("encoding_aes_key", encoding_aes_key, AES_KEY),
    ):
        if not form.fullmatch(value):
            raise ValueError(f"this is no callback's {name}")
    return Receiver(url=url, token=token, encoding_aes_key=encoding_aes_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who hears of changes of contacts, and how much."""

    receiver: Receiver
    agent_id: str = ""
    is_reduced: bool = False
    """As for the addresses of contact sync that were saved after 2022-08-15 (WeCom page 96079)."""
    with_sensitive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One event on its way to one receiver."""

    receiver: Receiver
    agent_id: str
    """Empty for contact sync and for a job's own receiver."""
    event: str
    """What happened, for looking at: `change_contact/create_user`."""
    xml: str = field(repr=False)
    """The event in the clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one event."""

    callback: Callback
    statuses: tuple[int | None, ...]
    """The HTTP status of each attempt; None where no answer came in time."""

    @property
    def is_delivered(self) -> bool:
        return self.statuses[-1:] == (200,)
