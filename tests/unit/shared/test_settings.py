import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from shared.errors import KeyMissing, SettingsError
from shared.settings import AnalyzeEmailSettings, GmailPushSettings, UpkeepSettings
from shared.tokens import TokenVault
from shared.wiring import judge

ROOT = Path(__file__).parents[3]
GOOD = {
    "SUPABASE_URL": "http://127.0.0.1:1",
    "SUPABASE_SECRET_KEY": "sb_secret_x",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "hush",
    "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "GCP_PROJECT": "p",
    "CALLER_AUDIENCE": "https://region-p.cloudfunctions.net/gmail_push",
    "CALLER_ACCOUNTS": "push@p.iam.gserviceaccount.com",
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^environment variable {name} is not set$"):
        GmailPushSettings.from_environ({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_URL", "ftp://x"),
        ("SUPABASE_URL", "not a url"),
        ("GMAIL_QUOTA_PROFILE", "generous"),
        ("GMAIL_CONCURRENCY", "0"),
        ("GMAIL_CONCURRENCY", "many"),
        ("TOKEN_ENCRYPTION_KEYS", "too-short"),
        ("LOG_FORMAT", "xml"),
        ("OPENAI_BASE_URL", "ftp://x"),
        ("OPENAI_STRUCTURED_OUTPUT", "yaml"),
        ("OPENAI_TIMEOUT_SECONDS", "0"),
        ("OPENAI_DEADLINE_SECONDS", "forever"),
        ("OPENAI_CONCURRENCY", "0"),
        ("OPENAI_MAX_PROMPT_TOKENS", "10"),
        ("OPENAI_MAX_DOUBTS", "0"),
        ("CALLER_ACCOUNTS", "everybody"),
        ("CALLER_ACCOUNTS", " , "),
        ("GOOGLE_KEYS_URL", "file:///keys"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^environment variable {name} is wrong: ") as caught:
        AnalyzeEmailSettings.from_environ({**GOOD, name: value})
    assert "\n" not in str(caught.value)


def test_an_empty_variable_counts_as_not_set() -> None:
    with pytest.raises(SettingsError, match="GCP_PROJECT is not set"):
        GmailPushSettings.from_environ({**GOOD, "GCP_PROJECT": ""})


def test_shown_settings_hide_secrets() -> None:
    shown = repr(GmailPushSettings.from_environ(GOOD))
    assert "hush" not in shown
    assert "sb_secret_x" not in shown
    assert GOOD["TOKEN_ENCRYPTION_KEYS"] not in shown


@pytest.mark.parametrize("target", ["gmail_push", "analyze_email"])
def test_a_function_that_lacks_a_setting_ends_at_start_with_one_line(target: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in GOOD}
    environment |= {key: value for key, value in GOOD.items() if key != "SUPABASE_URL"}
    done = subprocess.run(
        [Path(sys.executable).with_name("functions-framework"), "--port=0"],
        env={**environment, "FUNCTION_TARGET": target},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == f"tenths: {target}: environment variable SUPABASE_URL is not set"


@pytest.mark.parametrize("days", ["0", "366", "2557"])
def test_what_is_purged_is_older_than_what_is_caught_up_with(days: str) -> None:
    assert UpkeepSettings.from_environ({**GOOD, "RETENTION_DAYS": days}).retention_days == int(days)
    with pytest.raises(SettingsError, match="RETENTION_DAYS"):
        UpkeepSettings.from_environ({**GOOD, "RETENTION_DAYS": "365"})


def test_without_a_key_there_is_no_model_and_with_one_there_is() -> None:
    assert judge(AnalyzeEmailSettings.from_environ({**GOOD, "OPENAI_API_KEY": ""})) is None
    assert judge(AnalyzeEmailSettings.from_environ({**GOOD, "OPENAI_API_KEY": "sk-hush"})) is not None


def test_the_models_key_is_hidden() -> None:
    assert "sk-hush" not in repr(AnalyzeEmailSettings.from_environ({**GOOD, "OPENAI_API_KEY": "sk-hush"}))


def test_a_token_encrypted_with_an_older_key_still_opens_and_a_missing_key_is_our_fault() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    encrypted = _vault(old).encrypt("1//refresh")
    assert _vault(f"{new},{old}").decrypt(encrypted) == "1//refresh"
    with pytest.raises(KeyMissing):
        _vault(new).decrypt(encrypted)


def _vault(keys: str) -> TokenVault:
    return TokenVault(AnalyzeEmailSettings.from_environ({**GOOD, "TOKEN_ENCRYPTION_KEYS": keys}).token_encryption_keys)
