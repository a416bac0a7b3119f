"""What functions count reaches Google's Telemetry API, though an instance computes only while it has a request."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.integration.metrics.conftest import Collector, Function

REFUSED = {"function": "analyze_email", "result": "not_authenticated"}
COUNTED = "tenths_deliveries_total"


def sends_to(collector: Collector, every_seconds: float) -> dict[str, str]:
    return {
        "METRICS_EXPORTER": "cloud_monitoring",
        "METRICS_ENDPOINT": collector.url,
        "METRICS_LOCATION": "europe-west1",
        "METRICS_EVERY_SECONDS": str(every_seconds),
    }


async def test_what_a_request_counted_is_sent_before_it_is_answered(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 0)))
    for times in (1, 2, 3):
        await function.refuse()
        assert collector.counted(COUNTED, REFUSED) == times
    assert len(collector.received) == 3


async def test_of_requests_in_quick_succession_the_first_sends(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 3600)))
    await function.refuse(20)
    assert len(collector.received) == 1
    assert collector.counted(COUNTED, REFUSED) == 1


async def test_what_was_not_sent_yet_is_sent_when_the_instance_is_told_to_end(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 3600)))
    await function.refuse(20)
    await function.stop()
    assert collector.counted(COUNTED, REFUSED) == 20
    assert len(collector.received) == 2


async def test_each_instance_counts_for_itself_and_says_where_it_runs(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    first, second = (Function("analyze_email", tmp_path / name, **sends_to(collector, 0)) for name in ("a", "b"))
    await functions.enter_async_context(first)
    await functions.enter_async_context(second)
    await first.refuse()
    await second.refuse()
    about = [collector.about(export) for export in (0, 1)]
    assert about[0].pop("service.instance.id") != about[1].pop("service.instance.id")
    expected = {"service.name": "analyze_email", "service.namespace": "tenths", "cloud.region": "europe-west1"}
    for each in about:
        assert expected.items() <= each.items()
    assert [collector.counted(COUNTED, REFUSED, export=export) for export in (0, 1)] == [1, 1]


async def test_a_request_is_answered_though_nobody_takes_what_it_counted(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    """The stand-in takes the request and doesn't answer; later it does, and what it is told then is the whole sum."""
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 0)))
    collector.open.clear()
    await function.refuse()
    assert not collector.open.is_set()
    collector.open.set()
    await function.refuse()
    assert collector.counted(COUNTED, REFUSED) == 2


async def test_a_request_is_answered_though_there_is_nobody_to_send_to(
    functions: AsyncExitStack, tmp_path: Path
) -> None:
    collector = Collector()
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 0)))
    await function.refuse()
    collector.open.set()
    async with collector.serving():
        await function.refuse()
        assert collector.counted(COUNTED, REFUSED) == 2


async def test_a_port_that_is_taken_costs_the_measurements_and_not_the_function(
    functions: AsyncExitStack, tmp_path: Path
) -> None:
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    functions.push_async_callback(taken.wait_closed)
    functions.callback(taken.close)
    port = str(taken.sockets[0].getsockname()[1])
    settings = {"METRICS_EXPORTER": "prometheus", "METRICS_PORT": port}
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **settings))
    await function.refuse(2)
    assert function.log.read_text().count("metrics.not_set_up") == 1


async def test_another_hosts_endpoint_gets_no_token(
    collector: Collector, functions: AsyncExitStack, tmp_path: Path
) -> None:
    function = await functions.enter_async_context(Function("analyze_email", tmp_path, **sends_to(collector, 0)))
    await function.refuse()
    assert "authorization" not in collector.headers[0]
