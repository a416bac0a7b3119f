"""One process that asks the model as fast as it is let, in several tasks.

python model_hammer.py VALKEY_URL MODEL_URL REQUESTS WINDOW_SECONDS COUNTED_SECONDS CALLS: prints a line when it is
ready, begins when it gets one, and ends with how many calls were answered. MODEL_KEY: the model's key.
"""

import asyncio
import os
import sys

from pydantic import SecretStr

from shared.gmail.shared_window import SharedWindow
from shared.llm.budget import Budget
from shared.llm.client import ChatClient, ModelApi
from shared.llm.judge import Judge
from shared.llm.rate import Rate, RateLimits
from tests.integration.llm.conftest import MODEL, asks

TASKS = 5


async def main(url: str, model: str, requests: int, window_seconds: int, counted_seconds: int, calls: int) -> None:
    rate = Rate(
        RateLimits(requests, window_seconds=window_seconds, margin_seconds=counted_seconds - window_seconds),
        # The shared machine may be slow: what is tried here is how calls are counted, not how soon Redis is given up.
        shared=SharedWindow(url, namespace="model", window_seconds=counted_seconds, answer_seconds=30),
        account="hammered",
    )
    api = ModelApi(SecretStr(os.environ["MODEL_KEY"]), model, MODEL, deadline_seconds=60)
    judge = Judge(ChatClient(api, rate, "person"), budget=Budget())
    question = asks("It took 2 hours.", "2 hours")
    await judge.judge(question)  # libraries are loaded
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    answered = 0

    async def ask(calls: int) -> None:
        nonlocal answered
        for _ in range(calls):
            await judge.judge(question)
            answered += 1

    await asyncio.gather(*(ask(calls // TASKS) for _ in range(TASKS)))
    await judge.close()
    sys.stdout.write(f"answered {answered}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
