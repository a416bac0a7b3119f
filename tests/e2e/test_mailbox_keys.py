"""Keys change while everything runs: nothing stops, and afterwards nothing is under the old one."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from shared.tokens import TokenVault
from tests.e2e.conftest import Running, Timekeeper, work
from tests.e2e.mailboxes import person, select

ROOT = Path(__file__).parents[2]


async def _rotate(running: Running, keys: str) -> "subprocess.CompletedProcess[str]":
    """What an operator runs, with the environment of a function."""
    environ = {**os.environ, **running.stack.function_settings(), "TOKEN_ENCRYPTION_KEYS": keys}
    command = [sys.executable, "-m", "infra.operate", "rotate_keys"]
    return await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


async def _secrets(running: Running) -> list[str]:
    rows = await select(
        running.stack,
        "select refresh_token_encrypted as secret from private.mailbox_credentials"
        " union all select verifier_encrypted from private.connection_attempts",
    )
    return [row["secret"] for row in rows]


async def test_keys_change_while_mail_is_sent_and_mailboxes_are_connected(running: Running, dana: Timekeeper) -> None:
    first, second = running.stack.encryption_keys.split(",")
    async with person(running.stack) as ines:
        passed = await ines.come_back()  # she is at Google while the keys change
        before = await dana.mailbox.send(work(12))
        rotated, meanwhile = await asyncio.gather(_rotate(running, f"{second},{first}"), dana.mailbox.send(work(18)))
        assert rotated.returncode == 0, rotated.stdout + rotated.stderr
        assert "The other keys can be removed" in rotated.stdout
        for secret in await _secrets(running):
            TokenVault(SecretStr(second)).decrypt(secret)
        await running.fault("expire_access_tokens", address=dana.user.email)
        after = await dana.mailbox.send(work(24))
        assert (await ines.finish(passed)).status_code == 201
        outcomes = await dana.until_outcomes(before, meanwhile, after)
        assert set(outcomes.values()) == {"entries"}
        assert (await dana.mailbox_row())["state"] == "connected"
        shown = rotated.stdout + rotated.stderr
        assert [each for each in ("1//", "gAAAA", first, second, dana.user.email) if each in shown] == []


async def test_a_key_that_is_missing_is_told_before_the_old_one_is_removed(running: Running, dana: Timekeeper) -> None:
    del dana  # whose token lies under the first key
    _, second = running.stack.encryption_keys.split(",")
    kept = await _secrets(running)
    rotated = await _rotate(running, second)
    assert rotated.returncode == 1
    assert "can be read with none of the keys" in rotated.stdout
    assert "Keep the old keys" in rotated.stdout
    assert await _secrets(running) == kept
