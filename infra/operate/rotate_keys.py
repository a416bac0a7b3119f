"""Encrypt everything again with the first of TOKEN_ENCRYPTION_KEYS, so that the others can be removed.

First give all functions the new key, before the old one: TOKEN_ENCRYPTION_KEYS=new,old. Then run this, again if it was
interrupted. Once it says that nothing is left under another key, the old one can go.
"""

import argparse
import sys
from collections.abc import Mapping

import httpx

from shared.connecting.rotation import encrypt_again
from shared.settings import RotationSettings
from shared.store.client import StoreClient
from shared.tokens import TokenVault


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(_arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """0: all is under the first key. 1: some is not, and the old key has to stay."""
    settings = RotationSettings.from_environ(environ)
    vault = TokenVault(settings.token_encryption_keys)
    async with httpx.AsyncClient(timeout=30) as http:
        store = StoreClient(http, str(settings.supabase_url), settings.supabase_secret_key)
        done = await encrypt_again(store, vault)
        # Whoever was asked for a token just before a function had the new key, has stored it under the old one.
        again = await encrypt_again(store, vault)
    left = again.unreadable + again.changed + again.meanwhile
    sys.stdout.write(
        f"{done.changed + again.changed} encrypted again, {done.as_they_were} were under the first key already,"
        f" {done.meanwhile} changed meanwhile, {again.unreadable} can be read with none of the keys.\n"
        + ("Keep the old keys, and run this again.\n" if left else "The other keys can be removed.\n")
    )
    return 1 if left else 0
