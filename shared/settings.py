"""Settings of the functions: read from the environment, checked once, frozen. Secrets are masked when shown."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    UrlConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import Url

from shared.errors import SettingsError

LONGEST_CATCH_UP_DAYS: Final = 365

HttpUrl = Annotated[Url, UrlConstraints(allowed_schemes=["http", "https"], host_required=True)]
RedisUrl = Annotated[Url, UrlConstraints(allowed_schemes=["redis", "rediss"], host_required=True)]
NonEmpty = Annotated[str, Field(min_length=1)]
NonEmptySecret = Annotated[SecretStr, Field(min_length=1)]


def _listed(given: Any) -> Any:
    return [each.strip() for each in given.split(",") if each.strip()] if isinstance(given, str) else given


class FromEnviron(BaseModel):
    """Settings, each field of which is the environment variable of the same name, upper case."""

    # A process reads one function's settings: the others' needn't be built (30 ms of its start).
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read and check. Raises SettingsError, one line, naming the first variable that is missing or wrong."""
        given: dict[str, Any] = {
            name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper(), "") != ""
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]).upper()
            what = "is not set" if first["type"] == "missing" else f"is wrong: {first['msg']}"
            raise SettingsError(f"environment variable {name} {what}") from None


class SharingSettings(FromEnviron):
    """How what others limit is shared out."""

    background_share: Annotated[float, Field(gt=0, le=1)] = 0.6
    """How much of a mailbox's quota, and of the model's limits, rescans may use; the rest is kept for mail as it is
    sent, and for people who wait."""
    redis_url: RedisUrl | None = None
    """Where processes share what is left of Gmail's quota and of the model's limits, and what was worked out; unset:
    each minds its own."""


class MetricsSettings(FromEnviron):
    """Where measurements go."""

    metrics_exporter: Literal["none", "prometheus", "cloud_monitoring"] = "none"
    metrics_host: NonEmpty = "127.0.0.1"
    """prometheus: the address that /metrics is served at, on a port of its own. No token is asked for there."""
    metrics_port: Annotated[int, Field(ge=1, le=65_535)] = 9464
    metrics_endpoint: HttpUrl = Url("https://telemetry.googleapis.com/v1/metrics")
    """cloud_monitoring: where OTLP over HTTP goes. At any other host than Google's without a token."""
    metrics_location: NonEmpty | None = None
    """cloud_monitoring: the region that the function runs in; unset: the metadata server is asked."""
    metrics_every_seconds: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    """cloud_monitoring: how often at most, at the end of a request; and when the process ends."""


class Settings(SharingSettings, MetricsSettings):
    """What every event function needs."""

    supabase_url: HttpUrl
    supabase_secret_key: NonEmptySecret
    gmail_api_endpoint: HttpUrl = Url("https://gmail.googleapis.com")
    oauth_token_endpoint: HttpUrl = Url("https://oauth2.googleapis.com/token")
    oauth_revocation_endpoint: HttpUrl = Url("https://oauth2.googleapis.com/revoke")
    google_client_id: NonEmpty
    google_client_secret: NonEmptySecret
    token_encryption_keys: NonEmptySecret
    """Fernet keys, comma separated: the first encrypts, all decrypt."""
    delegation_account: NonEmpty | None = None
    """The service account that administrators let into their domains' mailboxes; Google's IAM signs in its name."""
    delegation_key: NonEmptySecret | None = None
    """The same with a key of its own, as the JSON that Google gives out; then DELEGATION_ACCOUNT isn't asked for."""
    iam_credentials_endpoint: HttpUrl = Url("https://iamcredentials.googleapis.com")
    metadata_endpoint: HttpUrl = Url("http://metadata.google.internal")
    gmail_quota_profile: Literal["2026", "legacy", "unmetered"] = "2026"
    gmail_concurrency: Annotated[int, Field(ge=1, le=100)] = 10
    """Calls of Gmail under way at the same time for one mailbox; those beyond wait their turn."""
    gmail_concurrency_in_all: Annotated[int, Field(ge=1, le=1_000)] = 50
    """The same for all mailboxes of one instance together: each may hold an email of 2 MB."""
    log_format: Literal["json", "console"] = "json"

    @field_validator("token_encryption_keys")
    @classmethod
    def _keys_are_keys(cls, keys: SecretStr) -> SecretStr:
        for key in keys.get_secret_value().split(","):
            try:
                Fernet(key.strip())
            except ValueError:
                raise ValueError("each key is 32 bytes, url-safe base64") from None
        return keys


class CallerSettings(FromEnviron):
    """Who may call a function that only machines call."""

    caller_audience: NonEmpty
    """What the OIDC token of a call has to be meant for: the function's URL, as the push subscription names it."""
    caller_accounts: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^@\s,]+@[^@\s,]+$")], ...], Field(min_length=1), BeforeValidator(_listed)
    ]
    """Service accounts, comma separated: those of Pub/Sub's pushes, or of the scheduler."""
    google_keys_url: HttpUrl = Url("https://www.googleapis.com/oauth2/v3/certs")


class GmailPushSettings(Settings, CallerSettings):
    """What gmail_push needs besides."""

    gcp_project: NonEmpty
    sent_emails_topic: NonEmpty = "sent-emails"
    pubsub_emulator_host: str | None = None
    """host:port of an emulator; unset: Pub/Sub itself."""
    catch_up_days: Annotated[int, Field(ge=1, le=LONGEST_CATCH_UP_DAYS)] = 30
    """How far back a mailbox is listed at most when Gmail no longer has its history."""


class ModelSettings(SharingSettings):
    """A language model, if there is to be one."""

    openai_api_key: NonEmptySecret | None = None
    """Unset: no model, rules alone decide."""
    openai_base_url: HttpUrl = Url("https://api.openai.com/v1")
    openai_model: NonEmpty = "gpt-5.4-mini"
    openai_structured_output: Literal["json_schema", "json_object"] = "json_schema"
    """json_object for servers that don't know strict schemas; what comes back is checked either way."""
    openai_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """One try."""
    openai_deadline_seconds: Annotated[float, Field(gt=0, le=60)] = 14.0
    """A call with all its tries and waits: with the wait for Gmail's quota it stays within an ack deadline of 60 s."""
    openai_concurrency: Annotated[int, Field(ge=1, le=100)] = 10
    """Calls of the model under way at the same time in one instance; those beyond wait their turn."""
    openai_requests_a_minute: Annotated[int, Field(ge=1, le=10_000_000)] = 3_500
    """What the account may ask; of all instances together where there is a REDIS_URL, else of each."""
    openai_tokens_a_minute: Annotated[int, Field(ge=1_000, le=1_000_000_000)] | None = None
    """The same in tokens. Unset: as the API's own headers tell, for it differs from account to account."""
    openai_max_prompt_tokens: Annotated[int, Field(ge=4_000, le=200_000)] = 8_000
    openai_max_output_tokens: Annotated[int, Field(ge=500, le=100_000)] = 8_000
    openai_max_doubts: Annotated[int, Field(ge=1, le=100)] = 20
    """Amounts that one email may ask about."""


class AnalyzeEmailSettings(Settings, CallerSettings, ModelSettings):
    """What analyze_email needs besides: a language model, if there is to be one."""


def _origin(given: str) -> str:
    url = Url(given)
    port = f":{url.port}" if url.port not in {None, 80 if url.scheme == "http" else 443} else ""
    if url.scheme not in {"http", "https"} or str(url).rstrip("/") != f"{url.scheme}://{url.host}{port}":
        raise ValueError("each is an origin, such as https://app.example.com")
    return str(url).rstrip("/")


class BrowserSettings(FromEnviron):
    """Where the client is that people have in their browsers."""

    app_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)] = ()
    """Where it is served, comma separated: its pages may read the answers (CORS), and people may be sent back to them
    when they connected a mailbox. Unset: no page may, and they are shown a plain one."""


class UserSettings(Settings, BrowserSettings):
    """What those need besides whom users ask: to know users by their tokens, and to ask the database as they may."""

    supabase_publishable_key: NonEmptySecret
    supabase_jwt_issuer: NonEmpty | None = None
    """What users' tokens name as their issuer; unset: SUPABASE_URL with /auth/v1."""


class ToolsSettings(UserSettings, ModelSettings):
    """What the tools and the chat need besides. Chat needs a language model, the tools don't."""

    scan_deadline_seconds: Annotated[float, Field(gt=0, le=300)] = 25.0
    """Then a scan answers with what it has, and where to go on."""
    timekeeper_cache_seconds: Annotated[float, Field(gt=0, le=3_600)] = 15.0
    """How long settings, directory and mailboxes are remembered; who changes them here sees it at once."""
    answer_cache_seconds: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """How long analyses of single emails, and summaries, are remembered."""
    answer_cache_size: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Summaries, and timekeepers: so many in one process."""
    answer_cache_bytes: Annotated[int, Field(ge=0, le=1_000_000_000)] = 8_000_000
    """Analyses of single emails: so much of them, as JSON; in memory they take several times that."""
    chat_steps: Annotated[int, Field(ge=1, le=50)] = 8
    """Calls of the model for one answer."""
    chat_history_tokens: Annotated[int, Field(ge=1_000, le=500_000)] = 12_000
    chat_tool_output_tokens: Annotated[int, Field(ge=200, le=100_000)] = 3_000
    chat_output_tokens: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    chat_deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 120.0


class RescanTopicSettings(FromEnviron):
    """Where the pages of rescans are handed on."""

    gcp_project: NonEmpty
    rescan_pages_topic: NonEmpty = "rescan-pages"
    pubsub_emulator_host: str | None = None


class RescanSettings(UserSettings, RescanTopicSettings):
    """What rescans needs besides."""

    coverage_deadline_seconds: Annotated[float, Field(gt=0, le=300)] = 25.0
    """Then a check of coverage against Gmail answers with what it has, and where to go on."""


class RescanPageSettings(Settings, CallerSettings, ModelSettings, RescanTopicSettings):
    """What rescan_page needs besides."""

    rescan_page_emails: Annotated[int, Field(ge=1, le=500)] = 100
    """Emails that one message is about."""
    rescan_page_seconds: Annotated[float, Field(gt=0, le=500)] = 40.0
    """Then a page that isn't done goes on in the next message: below the subscription's ack deadline."""


class MailboxSettings(UserSettings):
    """What mailbox needs besides."""

    gcp_project: NonEmpty
    gmail_events_topic: NonEmpty = "gmail-events"
    oauth_authorization_endpoint: HttpUrl = Url("https://accounts.google.com/o/oauth2/v2/auth")
    callback_url: HttpUrl
    """Where Google sends people back to: this function's own /mailbox/callback, as it is registered with Google."""
    state_signing_key: Annotated[SecretStr, Field(min_length=32)]
    """Signs what travels to Google and back. Who changes it makes people begin again who are at Google just then."""
    delegated_domains: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...], BeforeValidator(_listed)
    ] = ()
    """Domains whose administrator lets DELEGATION_ACCOUNT in, comma separated, lower case."""


class UpkeepSettings(Settings, RescanTopicSettings):
    """What maintenance does, whoever has it done: the scheduler or an operator."""

    gmail_events_topic: NonEmpty = "gmail-events"
    sent_emails_topic: NonEmpty = "sent-emails"
    dead_letter_subscription: NonEmpty = "dead-letter"
    """The pull subscription of dead letters. Each push subscription that gives them up is named as its topic."""
    maintenance_seconds: Annotated[float, Field(gt=0, le=3_000)] = 240.0
    """Then a task begins nothing new; what is under way may take up to two and a half minutes more."""
    maintenance_most: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    """What one run of a task deals with at most: mailboxes, emails or dead letters."""
    reconcile_after_minutes: Annotated[float, Field(ge=0, le=10_080)] = 40.0
    """A mailbox whose history nobody has read for so long is looked at."""
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 2_557
    """How long entries, what people changed in them, and what became of emails are kept: firms have to keep what they
    billed for years. 0: for ever; so are the two below."""
    retention_dismissed_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    """The same for entries that were dismissed, from then on."""
    retention_jobs_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    """The same for rescans that have ended."""

    @field_validator("retention_days")
    @classmethod
    def _nothing_forgotten_is_caught_up(cls, days: int) -> int:
        if 0 < days <= LONGEST_CATCH_UP_DAYS:
            raise ValueError(f"more than {LONGEST_CATCH_UP_DAYS} days, or 0: catching up would read it again as new")
        return days


class MaintenanceSettings(UpkeepSettings, CallerSettings):
    """What maintenance needs besides."""


class MyDataSettings(UserSettings):
    """What my_data needs besides."""


class RotationSettings(FromEnviron):
    """What it takes to encrypt again what is stored."""

    supabase_url: HttpUrl
    supabase_secret_key: NonEmptySecret
    token_encryption_keys: NonEmptySecret
