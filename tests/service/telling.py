"""A company whose people are told: a Story over real HTTP, and what a daemon does after its runs."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.stage import IMPATIENT
from tests.journeys.story import Story
from wxsync.config.settings import Settings
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.runtime import open_corp
from wxsync.sandbox.postbox import Message
from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.serve import running_sandbox
from wxsync.service.notify.clicks import Click, Wanted
from wxsync.service.notify.notifier import Notifier
from wxsync.service.running import Approved, Finished, run_once
from wxsync.service.turns import Cause

APP = {
    "agent_id": 1000002,
    "secret": "sandbox-app-secret",
    "callback": {"token": "t", "encoding_aes_key": "k" * 43},
}
CHIEF, OTHER = "e1", "e2"


class Told:
    """The company, and the one daemon that tells of it."""

    def __init__(self, story: Story, settings: Settings) -> None:
        self.story = story
        self.settings = settings
        self.store = Store(prepare(settings.mirror.full_url))
        self.notifier = self.begun()

    def begun(self) -> Notifier:
        """A daemon that starts now."""
        return Notifier(self.store, lambda: self.settings, clock=lambda: self.story.stage.now)

    def run(self, wanted: Wanted | None = None) -> Finished:
        """A run of the daemon, and what is told of it."""
        self.story.save()

        async def act() -> Finished:
            opening = open_corp(self.settings, "acme", clock=lambda: self.story.stage.now, pauses=IMPATIENT)
            async with opening as corp:
                said = None
                if wanted is not None:
                    said = Approved(digest=wanted.digest, by=wanted.by, undoes=wanted.undoes)
                finished = await run_once(corp, Cause.SCHEDULE, said)
            await self.notifier.after(finished)
            return finished

        return asyncio.run(act())

    def after(self, finished: Finished) -> None:
        asyncio.run(self.notifier.after(finished))

    def tick(self, **time: float) -> None:
        self.story.stage.later(**time)
        asyncio.run(self.notifier.tick(["acme"]))

    def click(self, userid: str, key: str, message: Message) -> Wanted | None:
        """The person presses the button, and the daemon gets the event."""
        pressed = self.story.wecom.click(userid, message, key)
        return self.press(userid, key, pressed.task_id, pressed.response_code)

    def press(
        self, userid: str, key: str, task_id: str, code: str = "RC", *, corp: str = "acme"
    ) -> Wanted | None:
        """An event as it came, from wherever."""
        click = Click(corp=corp, userid=userid, task_id=task_id, key=key, response_code=code)
        return asyncio.run(self.notifier.clicked(click))

    def wanted(self) -> tuple[Wanted, ...]:
        return asyncio.run(self.notifier.wanted("acme"))

    @property
    def messages(self) -> list[Message]:
        return self.story.wecom.messages

    @property
    def cards(self) -> list[Message]:
        return [message for message in self.messages if message.card_type]

    def gone(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.story.goes(f"E{number}")


@contextmanager
def company(
    folder: Path, notify: Mapping[str, Mapping[str, Any]], *, people: int = 40, **more: Any
) -> Iterator[Told]:
    """Forty people in WeCom over real HTTP, told of by all channels of `notify`; eight days later."""
    story = Story(folder, app=APP)
    receiver = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)
    story.wecom.apps = (dataclasses.replace(story.wecom.apps[0], receiver=receiver),)
    story.people(people)
    story.settle()
    story.stage.later(days=8)
    with running_sandbox(story.wecom) as url:
        told = Told(story, settings_with(story.stage.settings, url, notify, **more))
        try:
            yield told
        finally:
            told.store.close()


def settings_with(
    settings: Settings,
    url: str,
    notify: Mapping[str, Mapping[str, Any]],
    *,
    language: str = "en",
    **sync: Any,
) -> Settings:
    """The same config for WeCom at `url`, with these ways of telling."""
    corp = settings.corp["acme"].model_copy(update={"base_url": url})
    written = Settings.model_validate(
        {
            "mirror": {"url": "sqlite:///unused.db"},
            "service": {"language": language},
            "notify": notify,
        }
    )
    policy = settings.sync["acme"].policy.model_copy(update={"confirm_reads": 1})
    update = {"notify": tuple(notify), "policy": policy, **sync}
    of_sync = settings.sync["acme"].model_copy(update=update)
    return settings.model_copy(
        update={
            "corp": {"acme": corp},
            "notify": written.notify,
            "service": written.service,
            "sync": {"acme": of_sync},
        }
    )
