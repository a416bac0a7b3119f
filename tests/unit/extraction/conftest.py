"""The encoder is loaded before any test runs: no example of a property pays for it with its deadline."""

import pytest

from shared.extraction.encoder.hearing import hearing


@pytest.fixture(autouse=True, scope="session")
def _encoder() -> None:
    hearing()
