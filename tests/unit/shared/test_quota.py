"""The quota as one process keeps it. Time is a clock that jumps to the next thing that is due: minutes pass at once."""

import asyncio
import selectors
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OverQuota
from shared.gmail.quota import PROFILES, Quota, QuotaProfile

GET = "gmail.users.messages.get"
HISTORY = "gmail.users.history.list"
FOREVER = 1e6


class _Jumps(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for something that never comes"
        self.now += timeout + 1e-7
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumps = _Jumps()
        super().__init__(self.jumps)

    def time(self) -> float:
        return self.jumps.now


def in_jumping_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs a test on a loop of its own; its arguments are what the caller gives."""

    def run(*arguments: Any) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:

            async def body() -> None:
                await test(*arguments)

            runner.run(body())

    return run


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Use:
    """So many units, used in one go at this moment."""

    at: float
    units: int
    user: str
    background: bool


def fullest_window(uses: list[Use], seconds: float = 60.0) -> int:
    """The most units that any window of time holds, as a strict counter sees it."""
    uses = sorted(uses, key=lambda use: use.at)
    return max((sum(use.units for use in uses if start.at <= use.at < start.at + seconds) for start in uses), default=0)


def small(
    user: float = 100, project: float = 1e6, costs: Mapping[str, int] = MappingProxyType({GET: 1})
) -> QuotaProfile:
    return QuotaProfile(user, project, MappingProxyType(dict(costs)))


async def use(quota: Quota, user: str, calls: int, *, background: bool = False) -> Use:
    await quota.spend(user, GET, patience_seconds=FOREVER, calls=calls, background=background)
    return Use(now(), calls, user, background)


async def use_soon(quota: Quota, user: str, calls: int, *, background: bool) -> Use | None:
    """As patient as a delivery is; None when it is left to the next one."""
    try:
        await quota.spend(user, GET, patience_seconds=45, calls=calls, background=background)
    except OverQuota:
        return None
    return Use(now(), calls, user, background)


Spends = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 1.0, 13.0, 61.0]),  # seconds after the one before
        st.one_of(st.integers(1, 8), st.integers(20, 60)),  # calls
        st.sampled_from(["dana", "priya", "lee"]),
        st.booleans(),  # in the background
    ),
    min_size=20,
    max_size=80,
)


@given(Spends)
def test_no_minute_of_a_user_or_of_the_project_holds_more_than_its_units(
    spends: list[tuple[float, int, str, bool]],
) -> None:
    async def body() -> None:
        quota = Quota(small(user=100, project=180))
        tasks = []
        for pause, calls, user, background in spends:
            await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(use_soon(quota, user, calls, background=background)))
        uses = [use for use in await asyncio.gather(*tasks) if use is not None]
        for user in ("dana", "priya", "lee"):
            assert fullest_window([use for use in uses if use.user == user]) <= 100
            assert fullest_window([use for use in uses if use.user == user and use.background]) <= 60
        assert fullest_window(uses) <= 180

    in_jumping_time(body)()


@pytest.mark.parametrize("profile", [PROFILES["2026"], PROFILES["legacy"]], ids=["2026", "legacy"])
@pytest.mark.parametrize("background", [False, True], ids=["live", "background"])
def test_an_hour_of_fetching_uses_what_a_leaky_bucket_can_and_no_minute_more_than_its_units(
    profile: QuotaProfile, background: bool
) -> None:
    async def body() -> None:
        quota, uses, units = Quota(profile), [], 50 * profile.cost[GET]
        while now() < 600:
            await quota.spend("dana", GET, patience_seconds=FOREVER, calls=50, background=background)
            uses.append(Use(now(), units, "dana", background))
        minute = profile.units_a_user_minute * (0.6 if background else 1)
        assert fullest_window(uses) <= minute
        assert sum(use.units for use in uses) >= 0.6 * 10 * minute

    in_jumping_time(body)()


@pytest.mark.parametrize("calls", [41, 99, 100, 250])
@pytest.mark.parametrize("background", [False, True], ids=["live", "background"])
def test_calls_that_cost_more_than_fits_at_once_are_waited_for(calls: int, background: bool) -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        await use(quota, "dana", calls, background=background)
        own_share = (calls - 24) / 36 * 60 if background else 0
        assert now() == pytest.approx(own_share + (calls - 40) / 60 * 60, abs=0.01)

    in_jumping_time(body)()


def test_nobody_slips_in_while_a_spend_larger_than_the_burst_is_waited_for() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        tasks = [asyncio.create_task(use(quota, "dana", 100))]
        for _ in range(100):
            await asyncio.sleep(0.5)
            tasks.append(asyncio.create_task(use(quota, "dana", 1)))
        uses = await asyncio.gather(*tasks)
        assert fullest_window(uses) <= 100
        assert uses[0].at == pytest.approx(60, abs=0.01)

    in_jumping_time(body)()


def test_calls_that_cost_more_than_fits_within_the_patience_are_refused() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        with pytest.raises(OverQuota) as refused:
            await quota.spend("dana", GET, patience_seconds=45, calls=500)
        assert refused.value.retry_after == 60
        assert now() == pytest.approx(45, abs=0.01)
        await use(quota, "dana", 1)

    in_jumping_time(body)()


def test_background_calls_leave_a_pushed_email_what_it_needs_at_once() -> None:
    async def body() -> None:
        quota = Quota(PROFILES["2026"])

        async def rescan() -> None:
            while True:
                await quota.spend("dana", GET, patience_seconds=FOREVER, calls=50, background=True)

        rescans = [asyncio.create_task(rescan()) for _ in range(10)]
        for _ in range(30):
            await asyncio.sleep(20)
            begun = now()
            for _ in range(10):
                await quota.spend("dana", HISTORY, patience_seconds=FOREVER)
                await quota.spend("dana", GET, patience_seconds=FOREVER)
            assert now() - begun < 0.001
        for task in rescans:
            task.cancel()
        await asyncio.gather(*rescans, return_exceptions=True)

    in_jumping_time(body)()


def test_what_background_calls_do_not_use_is_left_to_live_ones() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        await use(quota, "dana", 40)
        assert now() < 0.001
        with pytest.raises(OverQuota):
            await quota.spend("dana", GET, patience_seconds=0, background=True)

    in_jumping_time(body)()


@pytest.mark.parametrize("share", [0.25, 0.6, 1.0])
def test_the_share_of_background_calls_is_what_was_given(share: float) -> None:
    async def body() -> None:
        quota, uses = Quota(small(user=100), background_share=share), []
        while now() < 300:
            uses.append(await use(quota, "dana", 1, background=True))
        assert 0.9 * 100 * share <= fullest_window(uses) <= 100 * share

    in_jumping_time(body)()


def test_a_mailbox_that_used_up_its_minute_holds_up_no_other() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        waiting = [asyncio.create_task(use(quota, "dana", 40)) for _ in range(5)]
        await asyncio.sleep(0)
        await use(quota, "priya", 40)
        assert now() < 0.001
        ends = [use.at for use in await asyncio.gather(*waiting)]
        assert all(later > earlier for earlier, later in pairwise(ends))

    in_jumping_time(body)()


def test_a_small_call_goes_before_a_large_one_that_waits() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        await use(quota, "dana", 40)
        large = asyncio.create_task(use(quota, "dana", 40))
        await asyncio.sleep(1)
        single = await use(quota, "dana", 1)
        assert single.at < (await large).at

    in_jumping_time(body)()


def test_what_is_free_needs_no_patience() -> None:
    async def body() -> None:
        quota = Quota(small(user=100))
        for _ in range(40):
            await quota.spend("dana", GET, patience_seconds=0)
        with pytest.raises(OverQuota):
            await quota.spend("dana", GET, patience_seconds=0)

    in_jumping_time(body)()


def test_a_shared_window_costs_its_libraries_only_once_it_is_asked() -> None:
    program = (
        "import sys; from shared.gmail.quota import PROFILES, Quota;"
        "from shared.gmail.shared_window import SharedWindow;"
        "Quota(PROFILES['2026'], shared=SharedWindow('redis://127.0.0.1:9/0'));"
        "sys.exit('redis' in sys.modules or 'limits' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
