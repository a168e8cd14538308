"""Which addresses are WeCom's, for firewalls and for a second look at callbacks."""

from __future__ import annotations

from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import network as wire


class Network:
    """Two lists that any secret may read, both worth reading once a day.

    Old and new addresses stand side by side for a while before WeCom uses the new ones. An error never gives
    a list, also where WeCom's answer holds an empty one: whoever keeps a list keeps it then. Both methods
    raise `WeComApiError` where WeCom refuses and `WeComTransportError` where no answer comes.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get_callback_ips(self) -> tuple[wire.Segment, ...]:
        """From where WeCom sends callbacks (getcallbackip). The signature is the proof, not this list.

        People report callbacks from elsewhere: log those, do not drop them (WeCom page 98988).
        """
        return await self._addresses("getcallbackip")

    async def get_api_domain_ips(self) -> tuple[wire.Segment, ...]:
        """Where WeCom's API answers, for rules on what may leave (get_api_domain_ip; WeCom page 97073)."""
        return await self._addresses("get_api_domain_ip")

    async def _addresses(self, path: str) -> tuple[wire.Segment, ...]:
        return wire.from_addresses(await self._transport.send("GET", path, is_repeatable=True), path)
