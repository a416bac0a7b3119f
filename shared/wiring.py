"""The only module that builds clients. They live with the process; what carries a user's rights lives with the request.

Heavy libraries are imported by what needs them, inside the function: each deployed function loads only its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from shared.caller import Caller
from shared.gmail.access import AccessTokens
from shared.gmail.client import Gmail
from shared.gmail.quota import PROFILES, Quota
from shared.gmail.shared_window import SharedWindow
from shared.models import AnalysisMode
from shared.settings import (
    AnalyzeEmailSettings,
    CallerSettings,
    GmailPushSettings,
    MailboxSettings,
    ModelSettings,
    MyDataSettings,
    RescanPageSettings,
    RescanSettings,
    Settings,
    ToolsSettings,
    UpkeepSettings,
)
from shared.store.analyses import AnalysisStore
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxStore
from shared.tokens import TokenVault

if TYPE_CHECKING:
    from shared.chat.handler import ChatHandler
    from shared.checked_coverage import CoverageCheck
    from shared.connecting.connecting import Connecting
    from shared.connecting.connections import Connections
    from shared.gmail.delegation import Signer
    from shared.handlers.analyze_email import AnalyzeEmailHandler
    from shared.handlers.gmail_push import GmailPushHandler
    from shared.handlers.rescan_page import RescanPageHandler
    from shared.llm.client import ModelApi
    from shared.llm.judge import Judge
    from shared.llm.rate import Rate, Urgency
    from shared.llm.streaming import ChatModel
    from shared.machine_auth import MachineCallers
    from shared.maintenance.running import Maintenance
    from shared.my_data.parts import MyDataParts
    from shared.redis_level import RedisLevel
    from shared.rescanning import Rescanning
    from shared.store.timekeepers import Timekeepers
    from shared.tools.parts import ToolsParts
    from shared.tools.registry import Toolbox

V = TypeVar("V")

# Dead letters that say nothing of ours: long enough for who is told of them to look.
UNKNOWN_LETTERS_DAYS = 7
# Beyond the database's own bound for it.
ERASE_SECONDS = 310.0

# Longer than any answer that is still worth having within one delivery.
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
# An analysis that takes more is of a mail that few look at twice.
MOST_BYTES_KEPT = 64 * 1024
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)


@dataclass(frozen=True, slots=True)
class TopicOf:
    """A topic of a project. `emulator_host`: host:port; None: Pub/Sub itself."""

    project: str
    name: str
    emulator_host: str | None


@dataclass(frozen=True, slots=True)
class Clients:
    """What all functions talk to."""

    http: httpx.AsyncClient
    gmail: Gmail
    vault: TokenVault
    store: StoreClient
    mailboxes: MailboxStore
    analyses: AnalysisStore


def clients(settings: Settings) -> Clients:
    """Build the clients that live with this process; they belong to the event loop that first uses them."""
    vault = TokenVault(settings.token_encryption_keys)
    http = httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)
    tokens = AccessTokens(
        http,
        vault,
        str(settings.oauth_token_endpoint),
        settings.google_client_id,
        settings.google_client_secret,
        signer=_signer(settings, http),
    )
    gmail = Gmail(
        http,
        tokens,
        Quota(
            PROFILES[settings.gmail_quota_profile],
            shared=SharedWindow(str(settings.redis_url)) if settings.redis_url else None,
            background_share=settings.background_share,
        ),
        str(settings.gmail_api_endpoint),
        calls_at_once=settings.gmail_concurrency,
        calls_at_once_in_all=settings.gmail_concurrency_in_all,
    )
    store = StoreClient(http, str(settings.supabase_url), settings.supabase_secret_key)
    return Clients(http, gmail, vault, store, MailboxStore(store), AnalysisStore(store))


def _signer(settings: Settings, http: httpx.AsyncClient) -> "Signer | None":
    """What opens the mailboxes of domains whose administrator lets us in; None where there are none."""
    if settings.delegation_key is None and settings.delegation_account is None:
        return None
    from shared.gmail.delegation import IamSigner, KeySigner  # noqa: PLC0415  only a domain's mailboxes need it

    if settings.delegation_key is not None:
        return KeySigner(settings.delegation_key)
    iam, metadata = str(settings.iam_credentials_endpoint), str(settings.metadata_endpoint)
    return IamSigner(http, settings.delegation_account or "", iam, metadata)


def connections(settings: Settings, to: Clients) -> "Connections":
    """Build what disconnects mailboxes, on the clients that the process has."""
    from shared.connecting.connections import Connections  # noqa: PLC0415  few functions disconnect any
    from shared.connecting.store import ConnectionStore  # noqa: PLC0415  the same

    return Connections(to.http, to.gmail, to.vault, ConnectionStore(to.store), str(settings.oauth_revocation_endpoint))


def connecting(settings: MailboxSettings) -> "Connecting":
    """Build what answers users about their mailboxes."""
    from shared.auth import UserTokens  # noqa: PLC0415  only what users ask needs it
    from shared.connecting.authorization import Authorization  # noqa: PLC0415  only connecting needs it
    from shared.connecting.connecting import Connecting  # noqa: PLC0415  the same
    from shared.connecting.delegating import Delegating  # noqa: PLC0415  the same
    from shared.connecting.opening import Opening  # noqa: PLC0415  the same
    from shared.connecting.state import States  # noqa: PLC0415  the same
    from shared.connecting.store import ConnectionStore, OwnMailboxes  # noqa: PLC0415  the same

    to = clients(settings)
    url = str(settings.supabase_url)
    store = ConnectionStore(to.store)
    opening = Opening(to.gmail, store, f"projects/{settings.gcp_project}/topics/{settings.gmail_events_topic}")
    return Connecting(
        tokens=UserTokens(to.http, url, settings.supabase_jwt_issuer),
        own=OwnMailboxes(to.http, url, settings.supabase_publishable_key),
        store=store,
        vault=to.vault,
        states=States(settings.state_signing_key),
        authorization=Authorization(
            to.gmail.tokens,
            str(settings.oauth_authorization_endpoint),
            settings.google_client_id,
            str(settings.callback_url),
        ),
        opening=opening,
        delegating=Delegating(store, to.vault, opening, frozenset(settings.delegated_domains)),
        connections=connections(settings, to),
        app_origins=frozenset(settings.app_origins),
    )


def machine_callers(settings: CallerSettings) -> "MachineCallers":
    """Build what knows the machines that may call this function."""
    from shared.machine_auth import MachineCallers  # noqa: PLC0415  only what machines call needs it

    http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)
    return MachineCallers(http, str(settings.google_keys_url), settings.caller_audience, settings.caller_accounts)


def gmail_push_handler(settings: GmailPushSettings) -> "GmailPushHandler":
    """Build gmail_push's handler with all its parts."""
    from shared.handlers.gmail_push import GmailPushHandler  # noqa: PLC0415  0.7 s of gRPC that only this needs
    from shared.pubsub.publish import Publisher  # noqa: PLC0415  the same

    parts = clients(settings)
    return GmailPushHandler(
        gmail=parts.gmail,
        mailboxes=parts.mailboxes,
        analyses=parts.analyses,
        publisher=Publisher.connect(settings.gcp_project, settings.sent_emails_topic, settings.pubsub_emulator_host),
        catch_up_days=settings.catch_up_days,
    )


def analyze_email_handler(settings: AnalyzeEmailSettings) -> "AnalyzeEmailHandler":
    """Build analyze_email's handler with all its parts."""
    from shared.analyst import Analyst  # noqa: PLC0415  the grammar, that only those need who read mail
    from shared.handlers.analyze_email import AnalyzeEmailHandler  # noqa: PLC0415  the same

    parts = clients(settings)
    analyst = Analyst(judge(settings), parts.analyses.mode)
    return AnalyzeEmailHandler(parts.gmail, parts.mailboxes, parts.analyses, analyst)


def tools_parts(settings: ToolsSettings) -> "ToolsParts":
    """Build what answers users: the tools, and the chat where there is a model."""
    from shared.analyst import Analyst  # noqa: PLC0415  the grammar, that only those need who read mail
    from shared.auth import UserTokens  # noqa: PLC0415  only what users ask needs it
    from shared.bulk_analysis import BulkAnalysis  # noqa: PLC0415  the same
    from shared.cache import Cache  # noqa: PLC0415  the same
    from shared.store.entries import OwnData  # noqa: PLC0415  the same
    from shared.store.timekeepers import Timekeepers  # noqa: PLC0415  the same
    from shared.tools import analyze, configure, scan, summary  # noqa: PLC0415  the same
    from shared.tools.parts import ToolsParts  # noqa: PLC0415  the same
    from shared.tools.registry import Tool, Toolbox  # noqa: PLC0415  the same

    to = clients(settings)
    url = str(settings.supabase_url)
    size, seconds = settings.answer_cache_size, settings.answer_cache_seconds
    own = OwnData(to.http, url, settings.supabase_publishable_key)
    timekeepers = Timekeepers(to.store, most=size, seconds=settings.timekeeper_cache_seconds)
    rate = model_rate(settings)
    model = judge(settings, "person", rate)
    analyst = Analyst(model, to.analyses.mode)
    bulk = BulkAnalysis(analyst, to.mailboxes, to.analyses)
    scanning = scan.Scan(timekeepers, own, to.gmail, bulk, settings.scan_deadline_seconds)
    analyses = _second_level(settings, to.vault, TypeAdapter(analyze.AnalyzedEmail), seconds)
    analyzing = analyze.Analyze(
        timekeepers,
        own,
        to.gmail,
        to.mailboxes,
        analyst,
        Cache(
            "analyses",
            most=settings.answer_cache_bytes,
            largest=MOST_BYTES_KEPT,
            size=lambda found: len(found.model_dump_json()),
            seconds=seconds,
            second=analyses,
        ),
        settings.scan_deadline_seconds,
    )
    sums = _second_level(settings, to.vault, TypeAdapter(dict[str, Any]), seconds)
    summing = summary.Summary(timekeepers, own, Cache("summaries", most=size, seconds=seconds, second=sums))
    configuring = configure.Configure(timekeepers, own, to.gmail, to.mailboxes)
    toolbox = Toolbox(
        [
            Tool(scan.NAME, scan.DESCRIPTION, scan.ScanArguments, scanning.run),
            Tool(analyze.NAME, analyze.DESCRIPTION, analyze.AnalyzeArguments, analyzing.run),
            Tool(summary.NAME, summary.DESCRIPTION, summary.SummaryArguments, summing.run),
            Tool(configure.NAME, configure.DESCRIPTION, configure.ConfigureArguments, configuring.run),
        ]
    )
    chat_model = _chat_model(settings, rate)
    return ToolsParts(
        tokens=UserTokens(to.http, url, settings.supabase_jwt_issuer),
        timekeepers=timekeepers,
        toolbox=toolbox,
        summary=summing,
        chat=None if chat_model is None else _chat(settings, toolbox, timekeepers, chat_model),
        closers=(
            *(each.close for each in (model, chat_model) if each),
            *(level.aclose for level in (analyses, sums) if level),
            to.gmail.quota.aclose,
            to.http.aclose,
        ),
    )


def _second_level(
    settings: Settings, vault: TokenVault, kind: TypeAdapter[V], seconds: float
) -> "RedisLevel[V] | None":
    """What processes share of what they have worked out; None where there is no Redis."""
    if settings.redis_url is None:
        return None
    from shared.redis_level import RedisLevel  # noqa: PLC0415  only what users ask needs it

    return RedisLevel(str(settings.redis_url), vault, kind, seconds=seconds)


def rescanning(settings: RescanSettings) -> "Rescanning":
    """Build what answers users about rescans."""
    from shared.auth import UserTokens  # noqa: PLC0415  only what users ask needs it
    from shared.pubsub.publish import Publisher  # noqa: PLC0415  0.7 s of gRPC that only those need who publish
    from shared.rescanning import Rescanning  # noqa: PLC0415  the same
    from shared.store.rescans import OwnRescans, RescanStore  # noqa: PLC0415  only rescans need it

    to = clients(settings)
    url = str(settings.supabase_url)
    return Rescanning(
        tokens=UserTokens(to.http, url, settings.supabase_jwt_issuer),
        own=OwnRescans(to.http, url, settings.supabase_publishable_key),
        jobs=RescanStore(to.store),
        publisher=Publisher.connect(settings.gcp_project, settings.rescan_pages_topic, settings.pubsub_emulator_host),
    )


def rescan_page_handler(settings: RescanPageSettings) -> "RescanPageHandler":
    """Build rescan_page's handler with all its parts."""
    from shared.analyst import Analyst  # noqa: PLC0415  the grammar, that only those need who read mail
    from shared.bulk_analysis import BulkAnalysis  # noqa: PLC0415  the same
    from shared.handlers.rescan_page import RescanPageHandler  # noqa: PLC0415  the same
    from shared.pubsub.publish import Publisher  # noqa: PLC0415  0.7 s of gRPC that only those need who publish
    from shared.store.rescans import RescanStore  # noqa: PLC0415  only rescans need it

    to = clients(settings)
    return RescanPageHandler(
        gmail=to.gmail,
        bulk=BulkAnalysis(Analyst(judge(settings, "background"), to.analyses.mode), to.mailboxes, to.analyses),
        jobs=RescanStore(to.store),
        publisher=Publisher.connect(settings.gcp_project, settings.rescan_pages_topic, settings.pubsub_emulator_host),
        page_emails=settings.rescan_page_emails,
        page_seconds=settings.rescan_page_seconds,
    )


def checked_coverage(settings: Settings, deadline_seconds: float, topic: TopicOf | None = None) -> "CoverageCheck":
    """Build what counts a mailbox's sent mail against Gmail itself. `topic`: where to hand on what is missing."""
    from shared.checked_coverage import CoverageCheck  # noqa: PLC0415  only this needs it
    from shared.store.timekeepers import Timekeepers  # noqa: PLC0415  the same

    to = clients(settings)
    publisher = None
    if topic is not None:
        from shared.pubsub.publish import Publisher  # noqa: PLC0415  0.7 s of gRPC that only those need who publish

        publisher = Publisher.connect(topic.project, topic.name, topic.emulator_host)
    return CoverageCheck(
        gmail=to.gmail,
        mailboxes=to.mailboxes,
        analyses=to.analyses,
        timekeepers=Timekeepers(to.store, most=1, seconds=1.0),
        publisher=publisher,
        deadline_seconds=deadline_seconds,
        closers=(*([publisher.close] if publisher else []), to.gmail.quota.aclose, to.http.aclose),
    )


def maintenance(settings: UpkeepSettings) -> "Maintenance":
    """Build what keeps all of it going."""
    from shared.maintenance import (  # noqa: PLC0415  only maintenance needs it
        dead_letters,
        purge,
        reconcile,
        second_looks,
        standing,
        summaries,
        watches,
    )
    from shared.maintenance.running import Maintenance  # noqa: PLC0415  the same
    from shared.pubsub.dead_letters import DeadLetters  # noqa: PLC0415  0.7 s of gRPC that only this needs
    from shared.pubsub.messages import GmailPush, RescanPage, SentEmail  # noqa: PLC0415  the same
    from shared.pubsub.publish import Publisher  # noqa: PLC0415  the same
    from shared.store.maintenance import MaintenanceStore  # noqa: PLC0415  only maintenance needs it
    from shared.store.rescans import RescanStore  # noqa: PLC0415  only rescans need it

    to = clients(settings)
    most, project, emulator = settings.maintenance_most, settings.gcp_project, settings.pubsub_emulator_host
    topics = (settings.gmail_events_topic, settings.sent_emails_topic, settings.rescan_pages_topic)
    publishers = [Publisher.connect(project, topic, emulator) for topic in topics]
    gmail_events, sent_emails, rescan_pages = publishers
    letters = DeadLetters.connect(project, settings.dead_letter_subscription, emulator)
    store = MaintenanceStore(to.store)
    # A refresh of a large view, or a purge, takes as long as it takes.
    long = httpx.AsyncClient(timeout=httpx.Timeout(settings.maintenance_seconds + 60, connect=5.0))
    patient = MaintenanceStore(StoreClient(long, str(settings.supabase_url), settings.supabase_secret_key))
    renewing = watches.RenewWatches(
        gmail=to.gmail,
        mailboxes=to.mailboxes,
        store=store,
        connections=connections(settings, to),
        topic=f"projects/{project}/topics/{settings.gmail_events_topic}",
        most=most,
    )
    reconciling = reconcile.Reconcile(
        store=store,
        jobs=RescanStore(to.store),
        gmail_events=gmail_events,
        sent_emails=sent_emails,
        rescan_pages=rescan_pages,
        quiet_seconds=settings.reconcile_after_minutes * 60,
        most=most,
    )
    kinds: tuple[type[BaseModel], ...] = (GmailPush, SentEmail, RescanPage)
    replaying = dead_letters.ReplayDeadLetters(
        letters=letters,
        store=store,
        sources={
            topic: dead_letters.Source(kind, publisher)
            for topic, kind, publisher in zip(topics, kinds, publishers, strict=True)
        },
        most=most,
    )
    kept_days = {
        "dismissed_entries": settings.retention_dismissed_days,
        "entries": settings.retention_days,
        "entry_changes": settings.retention_days,
        "emails": settings.retention_days,
        "rescans": settings.retention_jobs_days,
        "unknown_letters": UNKNOWN_LETTERS_DAYS,
    }
    return Maintenance(
        tasks={
            watches.NAME: renewing.run,
            reconcile.NAME: reconciling.run,
            summaries.NAME: summaries.RefreshSummaries(patient).run,
            second_looks.NAME: second_looks.LookAgain(store, sent_emails, most).run,
            purge.NAME: purge.Purge(patient, kept_days).run,
            dead_letters.NAME: replaying.run,
        },
        replaying=replaying,
        seconds=settings.maintenance_seconds,
        look=standing.Look(to.store),
        closers=(
            *(each.close for each in publishers),
            letters.close,
            to.gmail.quota.aclose,
            long.aclose,
            to.http.aclose,
        ),
    )


def _chat_model(settings: ToolsSettings, rate: "Rate | None") -> "ChatModel | None":
    """Build what streams a conversation; None where no key is set."""
    api = _model_api(settings)
    if api is None:
        return None
    from shared.llm.streaming import ChatModel  # noqa: PLC0415  only those need it who have a model

    return ChatModel(api, rate)


def _chat(settings: ToolsSettings, toolbox: "Toolbox", timekeepers: "Timekeepers", model: "ChatModel") -> "ChatHandler":
    """Build the chat."""
    from shared.chat.handler import ChatHandler  # noqa: PLC0415  only those need it who have a model
    from shared.chat.limits import ChatLimits  # noqa: PLC0415  the same

    async def mode_of(caller: Caller) -> AnalysisMode:
        timekeepers.changed(caller.user_id)  # what may leave is not remembered, it is asked for
        return (await timekeepers.get(caller.user_id)).rules.analysis_mode

    limits = ChatLimits(
        steps=settings.chat_steps,
        history_tokens=settings.chat_history_tokens,
        tool_output_tokens=settings.chat_tool_output_tokens,
        output_tokens=settings.chat_output_tokens,
        deadline_seconds=settings.chat_deadline_seconds,
    )
    return ChatHandler(toolbox=toolbox, model=model, mode_of=mode_of, limits=limits)


def my_data_parts(settings: MyDataSettings) -> "MyDataParts":
    """Build what gives users what is stored about them, and deletes it."""
    from shared.auth import UserTokens  # noqa: PLC0415  only what users ask needs it
    from shared.connecting.connections import Connections  # noqa: PLC0415  the same
    from shared.connecting.store import ConnectionStore  # noqa: PLC0415  the same
    from shared.my_data.parts import MyDataParts  # noqa: PLC0415  the same
    from shared.store.my_data import OwnRows, UsersRows  # noqa: PLC0415  the same

    to = clients(settings)
    url = str(settings.supabase_url)
    revocation_url = str(settings.oauth_revocation_endpoint)
    # Deleting all that a user has takes as long as it takes: asked again meanwhile, it would wait for itself.
    long = httpx.AsyncClient(timeout=httpx.Timeout(ERASE_SECONDS, connect=5.0))
    patient = StoreClient(long, url, settings.supabase_secret_key)
    return MyDataParts(
        tokens=UserTokens(to.http, url, settings.supabase_jwt_issuer),
        own_rows=lambda caller: OwnRows(to.http, url, settings.supabase_publishable_key, caller),
        rows_of=lambda user_id: UsersRows(patient, user_id),
        connections=Connections(to.http, to.gmail, to.vault, ConnectionStore(to.store), revocation_url),
        closers=(to.gmail.quota.aclose, to.http.aclose, long.aclose),
    )


def judge(settings: ModelSettings, urgency: "Urgency" = "sent", rate: "Rate | None" = None) -> "Judge | None":
    """Build what asks the language model; None where no key is set.

    urgency: who waits for its answers. rate: where others in this process ask the model, too, what they share.
    """
    api = _model_api(settings)
    if api is None:
        return None
    from shared.llm.budget import Budget  # noqa: PLC0415  only those need it who ask a model
    from shared.llm.client import ChatClient  # noqa: PLC0415  the same
    from shared.llm.judge import Judge  # noqa: PLC0415  the same

    budget = Budget(
        prompt=settings.openai_max_prompt_tokens,
        output=settings.openai_max_output_tokens,
        doubts=settings.openai_max_doubts,
    )
    return Judge(
        ChatClient(api, rate or model_rate(settings), urgency),
        budget=budget,
        structured=settings.openai_structured_output,
    )


def model_rate(settings: ModelSettings) -> "Rate | None":
    """Build what keeps one process within the limits of the model's account; None where no key is set."""
    api = _model_api(settings)
    if api is None:
        return None
    from shared.llm.rate import Rate, RateLimits, account_name  # noqa: PLC0415  only those need it who ask a model

    return Rate(
        RateLimits(
            settings.openai_requests_a_minute,
            settings.openai_tokens_a_minute,
            background_share=settings.background_share,
        ),
        # A call of the model takes a second anyway; an instance that is short of CPU for less must not go on alone.
        shared=SharedWindow(str(settings.redis_url), namespace="model", answer_seconds=1.0)
        if settings.redis_url
        else None,
        account=account_name(api.api_key.get_secret_value(), api.base_url, api.model),
    )


def _model_api(settings: ModelSettings) -> "ModelApi | None":
    if settings.openai_api_key is None:
        return None
    from shared.llm.client import ModelApi  # noqa: PLC0415  only those need it who ask a model

    return ModelApi(
        settings.openai_api_key,
        str(settings.openai_base_url),
        settings.openai_model,
        timeout_seconds=settings.openai_timeout_seconds,
        deadline_seconds=settings.openai_deadline_seconds,
        calls_at_once=settings.openai_concurrency,
    )
