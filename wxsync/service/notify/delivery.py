"""One notice by one channel: what became of it is told, and nothing is repeated that may have arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from wxsync.config.notify import (
    AppChannelSettings,
    GroupChannelSettings,
    HttpChannelSettings,
    SmtpChannelSettings,
)
from wxsync.config.settings import Settings
from wxsync.errors import ConfigError, WeComApiError, WeComTransportError, WxsyncError
from wxsync.mirror.store import Store
from wxsync.runtime import open_lines
from wxsync.service.notify.document import SIGNATURE, body_of, notice_document, signature
from wxsync.service.notify.faces import asking_card, card, markdown
from wxsync.service.notify.mail import send_mail
from wxsync.service.notify.parcel import SENT, Delivered, Parcel, in_doubt, not_sent, problem_of
from wxsync.service.notify.posting import post
from wxsync.wecom.cards import Card
from wxsync.wecom.content import Content, Receivers
from wxsync.wecom.messages import Messages
from wxsync.wecom.retries import Patience
from wxsync.wecom.webhook import open_webhook

PATIENCE: Final = Patience(longest_wait=10.0, limit_waits=0, crowded_repeats=2, answer_within=60.0)
"""What has to wait for longer is sent later, with whatever has joined it by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Sends what it is given. `transport` takes the network's place for calls to WeCom."""

    store: Store
    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], float] = time.time

    async def send(self, settings: Settings, parcel: Parcel) -> Delivered:
        """WAITING where it surely did not arrive, UNKNOWN where nobody knows."""
        try:
            return await self._send(settings, parcel)
        except (WeComTransportError, WeComApiError) as error:
            return in_doubt(problem_of(error)) if error.is_ambiguous else not_sent(problem_of(error))
        except WxsyncError as error:
            return not_sent(problem_of(error))

    async def tell(self, settings: Settings, corp: str, content: Content, userids: tuple[str, ...]) -> str:
        """A message by the corp's app to these; gives what is to be known of it. Raises WxsyncError."""
        async with self.messages(settings, corp) as messages:
            sent = await messages.send(content, Receivers(userids=userids))
        missed = len(sent.invalid_userids)
        return f"{missed} of {len(userids)} recipients do not see the app" if missed else ""

    async def change_card(
        self, settings: Settings, corp: str, response_code: str, card: Card, userids: tuple[str, ...]
    ) -> None:
        """Another card in the place of the one that was clicked, for all who got it. Raises WxsyncError."""
        async with self.messages(settings, corp) as messages:
            await messages.update_template_card(response_code, card, Receivers(userids=userids))

    @asynccontextmanager
    async def messages(self, settings: Settings, corp: str) -> AsyncIterator[Messages]:
        """The messages of the corp's app, for the length of the block. Raises WxsyncError."""
        app = settings.corp[corp].app
        lines_to = open_lines(settings, corp, self.store, transport=self.transport, patience=PATIENCE)
        async with lines_to as lines:
            if app is None or lines.app is None:
                raise ConfigError([f"corp.{corp}.app: is required to send messages"])
            yield Messages(lines.app, agent_id=app.agent_id)

    async def _send(self, settings: Settings, parcel: Parcel) -> Delivered:
        language = settings.service.language
        match settings.notify[parcel.channel]:
            case AppChannelSettings() as channel:
                return await self._by_app(settings, channel, parcel)
            case GroupChannelSettings() as channel:
                return await self._by_group(settings, channel, parcel)
            case SmtpChannelSettings() as channel:
                return await asyncio.to_thread(send_mail, channel, parcel, language, self.clock())
            case HttpChannelSettings() as channel:
                body = body_of(notice_document(parcel.notice, language, parcel.number))
                signed = signature(channel.secret.get_secret_value(), body, int(self.clock()))
                return await post(channel, body, {SIGNATURE: signed})

    async def _by_app(self, settings: Settings, channel: AppChannelSettings, parcel: Parcel) -> Delivered:
        language = settings.service.language
        content: Card = card(parcel.notice, language, channel.link)
        if parcel.task_id is not None:
            content = asking_card(parcel.notice, language, parcel.task_id)
        problem = await self.tell(settings, parcel.notice.corp, content, channel.recipients)
        return Delivered(state=SENT.state, problem=problem)

    async def _by_group(self, settings: Settings, channel: GroupChannelSettings, parcel: Parcel) -> Delivered:
        corp = settings.corp[parcel.notice.corp]
        opening = open_webhook(
            channel.key,
            base_url=corp.base_url,
            proxy=corp.proxy,
            ca_file=corp.ca_file,
            transport=self.transport,
            patience=PATIENCE,
        )
        async with opening as webhook:
            await webhook.send(markdown(parcel.notice, settings.service.language))
        return SENT
