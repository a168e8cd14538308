"""What WeCom shows, found in a few calls, against the sandbox."""

from __future__ import annotations

import asyncio

from wxsync.model.seen import ReadingWay
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.client import open_client
from wxsync.wecom.probe import Insight, probe

OLD_APP = App(secret="old-app", sees_sensitive=True)
NEW_APP = App(agent_id=1000003, secret="new-app", sees_sensitive=False)


def looked(state: SandboxState, app: App | None = None) -> Insight:
    async def story() -> Insight:
        transport = SandboxTransport(state)

        def opened(secret: str):
            return open_client(
                corp_id=state.corp_id, secret=secret, base_url="http://sandbox", transport=transport
            )

        async with opened(state.contact_secret) as contacts:
            if app is None:
                return await probe(contacts, None)
            async with opened(app.secret) as other:
                return await probe(contacts, other)

    return asyncio.run(story())


def corp(**switches) -> SandboxState:
    state = SandboxState(apps=(OLD_APP, NEW_APP), **switches)
    state.add_department("研发部", id=2)
    state.add_member("lin", "林", department=(2,), mobile="13800000001")
    return state


def test_contact_sync_shows_ids_alone():
    """Unless the address is an old one: then everything is shown."""
    assert looked(corp()) == Insight(way=ReadingWay.IDS)
    shown = looked(corp(legacy_ip=True), NEW_APP)
    assert (shown.way, shown.is_sampled) == (ReadingWay.CONTACT, True)
    assert {"name", "mobile", "email", "position"} <= set(shown.fields)


def test_an_app_shows_what_it_may():
    """A new one no phone numbers; nobody in the corp, nothing said of fields."""
    old, new = looked(corp(), OLD_APP), looked(corp(), NEW_APP)
    assert old.way is new.way is ReadingWay.APP
    assert "mobile" in old.fields
    assert "name" in new.fields
    assert "mobile" not in new.fields
    assert looked(SandboxState(apps=(NEW_APP,)), NEW_APP) == Insight(way=ReadingWay.APP)


def test_looking_writes_nothing():
    """A few reading calls, however large the corp."""
    state = corp()
    looked(state, NEW_APP)
    assert not [call for call in state.log if call.is_write]
    assert len(state.log) <= 6
