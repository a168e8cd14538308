from __future__ import annotations

import asyncio

from wxsync.wecom.slots import CALM, Slots


def test_a_slot_is_given_in_the_order_of_asking():
    """Who came first goes first, and never more than the limit at once."""

    async def story():
        slots, order = Slots(2), []

        async def call(name: int) -> None:
            async with slots:
                order.append(name)
                assert len(order) - finished[0] <= 2
                await asyncio.sleep(0)
                finished[0] += 1

        finished = [0]
        await asyncio.gather(*(call(name) for name in range(10)))
        return order

    assert asyncio.run(story()) == list(range(10))


def test_a_cancelled_wait_takes_no_slot_with_it():
    """Whoever gives up while waiting, or in the moment of getting the slot, leaves it to the others."""

    async def story():
        slots = Slots(1)

        async def call() -> None:
            async with slots:
                await asyncio.sleep(0)

        async with slots:
            waiting = [asyncio.create_task(call()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[1].cancel()
            await asyncio.sleep(0)
        waiting[0].cancel()  # it has just been given the slot
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.wait_for(call(), 1)
        return [task.cancelled() for task in waiting]

    assert asyncio.run(story()) == [True, True, False]


def test_complaints_halve_once_for_what_was_under_way():
    """Ten complaints of ten calls that began together are one; a call that began later is another."""

    async def story():
        slots = Slots(10)
        numbers = []
        for _ in range(10):
            async with slots as number:
                numbers.append(number)
        limits = []
        for number in numbers:
            slots.halve(number)
            limits.append(slots.limit)
        for _ in range(4):
            async with slots as number:
                slots.halve(number)
                limits.append(slots.limit)
        return limits

    assert asyncio.run(story()) == [5] * 10 + [2, 1, 1, 1]


def test_the_limit_recovers_slowly():
    """One more after each hundred calls without a complaint, up to what it was."""
    slots = Slots(4)
    slots.halve(1)
    assert slots.limit == 2
    limits = []
    for _ in range(3):
        for _ in range(CALM):
            slots.calm()
        limits.append(slots.limit)
    assert limits == [3, 4, 4]
