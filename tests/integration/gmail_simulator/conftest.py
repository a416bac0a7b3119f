"""One simulator and one broker for all of these tests, a mailbox for each."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.gmail_simulator.broker import Broker
from tests.integration.gmail_simulator.caller import Mailbox
from tests.integration.gmail_simulator.process import Process


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    broker = Broker()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def shared_process(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("gmail"), broker)
    yield process
    assert process.stop() == (b"", b""), "it prints nothing"


@pytest.fixture
def simulator(shared_process: Process) -> Iterator[Process]:
    """The shared process, as it starts out: nothing planned, nothing counted, settings as they were."""
    settings = shared_process.settings()
    shared_process.sim("DELETE", "stats")
    yield shared_process
    shared_process.sim("DELETE", "faults")
    shared_process.settings(**settings)


@pytest.fixture
def mailbox(simulator: Process) -> Mailbox:
    """A mailbox of this test's own."""
    return simulator.mailbox(f"{uuid4().hex}@example.com")
