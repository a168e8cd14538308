"""The callbacks that wait, those that were sent, and what shall go wrong on their way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from wxsync.sandbox import contact_events
from wxsync.sandbox.contact_events import Facts
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.receivers import Callback, Delivery, Listener, Receiver


@dataclass(kw_only=True, eq=False)
class CallbackFaults:
    """Orders for the next callbacks."""

    duplicates: int = 0
    """So many of the next callbacks come twice."""
    with_same_bytes: bool = False
    """A second coming is the same request to the byte; else it is encrypted anew."""
    backwards: int = 0
    """So many of the next rounds of delivery have their callbacks in the opposite order."""
    lost: int = 0
    """So many of the next callbacks are never sent (WeCom promises no delivery, page 96238)."""

    def duplicate(self, *, times: int = 1, same_bytes: bool = False) -> None:
        """The next callbacks come twice."""
        self.duplicates, self.with_same_bytes = times, same_bytes

    def turn_round(self, *, times: int = 1) -> None:
        """Callbacks that wait together come last first."""
        self.backwards = times

    def lose(self, *, times: int = 1) -> None:
        """The next callbacks never come."""
        self.lost = times

    def clear(self) -> None:
        """No order is left."""
        self.duplicates = self.backwards = self.lost = 0


@dataclass(kw_only=True, eq=False)
class Outbox:
    """What WeCom has to tell."""

    waiting: list[Callback] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    """What became of those that were sent, the oldest first; a duplicate is not counted."""
    faults: CallbackFaults = field(default_factory=CallbackFaults)

    def tell_changes(
        self,
        directory: Directory,
        before: Facts,
        after: Facts,
        *,
        listeners: Iterable[Listener],
        corp_id: str,
        created_at: int,
    ) -> None:
        """Everybody who hears of it is told what changed between two moments."""
        self.waiting.extend(
            contact_events.callbacks(
                directory, before, after, listeners=listeners, corp_id=corp_id, created_at=created_at
            )
        )

    def tell(self, receiver: Receiver | None, event: str, xml: str, *, agent_id: str = "") -> None:
        """One event for one receiver; without a receiver nobody is told."""
        if receiver is not None:
            self.waiting.append(Callback(receiver=receiver, agent_id=agent_id, event=event, xml=xml))
