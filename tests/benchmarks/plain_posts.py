"""``python -m tests.benchmarks.plain_posts URL COUNT``: the floor of the deliveries.

One loop that posts the same bodies, a new connection each, 256 at a time: no database, no signature, no check. Prints
the seconds, and those of the processor.
"""

import asyncio
import sys
import time

import aiohttp

from shared.webhooks.body import encode

IN_FLIGHT = 256


async def post_all(url: str, count: int) -> None:
    """Post so many bodies to the paths of 45 receivers."""
    numbers = iter(range(count))
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={"Content-Type": "application/json"}) as session:

        async def worker() -> None:
            for number in numbers:
                async with session.post(f"{url}/{number % 45}", data=encode(example(number))) as answer:
                    await answer.read()

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def example(number: int) -> dict[str, object]:
    """An event as it is sent."""
    return {"type": "job.completed", "timestamp": "2026-06-01T08:09:12.123456Z", "data": data(number)}


def data(number: int) -> dict[str, object]:
    """Return the data of an event, which describe its job."""
    counts = {"total": 500, "pending": 0, "succeeded": 498, "failed": 1, "rejected": 1, "canceled": 0}
    return {
        "job_id": f"01934f6e-7a3c-7b1e-8f00-{number:012d}",
        "name": "North field, row 3",
        "external_id": None,
        "state": "completed_with_errors",
        "revision": number,
        "retries": 0,
        "counts": counts,
        "error": None,
    }


if __name__ == "__main__":
    began = time.perf_counter()
    asyncio.run(post_all(sys.argv[1], int(sys.argv[2])))
    print(time.perf_counter() - began, time.process_time())
