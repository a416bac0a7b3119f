"""The only module that builds clients. They live with the process; what carries a user's rights lives with the request.

Heavy libraries are imported by what needs them, inside the function: each deployed function loads only its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import TypeAdapter

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
    ModelSettings,
    RescanPageSettings,
    RescanSettings,
    Settings,
    ToolsSettings,
)
from shared.store.analyses import AnalysisStore
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxStore
from shared.tokens import TokenVault

if TYPE_CHECKING:
    from shared.chat.handler import ChatHandler
    from shared.handlers.analyze_email import AnalyzeEmailHandler
    from shared.handlers.gmail_push import GmailPushHandler
    from shared.handlers.rescan_page import RescanPageHandler
    from shared.llm.client import ModelApi
    from shared.llm.judge import Judge
    from shared.llm.streaming import ChatModel
    from shared.machine_auth import MachineCallers
    from shared.redis_level import RedisLevel
    from shared.rescanning import Rescanning
    from shared.store.timekeepers import Timekeepers
    from shared.tools.parts import ToolsParts
    from shared.tools.registry import Toolbox

V = TypeVar("V")

# Longer than any answer that is still worth having within one delivery.
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
# An analysis that takes more is of a mail that few look at twice.
MOST_BYTES_KEPT = 64 * 1024
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)


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
    model = judge(settings)
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
    configuring = configure.Configure(timekeepers, own, to.gmail)
    toolbox = Toolbox(
        [
            Tool(scan.NAME, scan.DESCRIPTION, scan.ScanArguments, scanning.run),
            Tool(analyze.NAME, analyze.DESCRIPTION, analyze.AnalyzeArguments, analyzing.run),
            Tool(summary.NAME, summary.DESCRIPTION, summary.SummaryArguments, summing.run),
            Tool(configure.NAME, configure.DESCRIPTION, configure.ConfigureArguments, configuring.run),
        ]
    )
    chat_model = _chat_model(settings)
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
        bulk=BulkAnalysis(Analyst(judge(settings), to.analyses.mode), to.mailboxes, to.analyses),
        jobs=RescanStore(to.store),
        publisher=Publisher.connect(settings.gcp_project, settings.rescan_pages_topic, settings.pubsub_emulator_host),
        page_emails=settings.rescan_page_emails,
        page_seconds=settings.rescan_page_seconds,
    )


def _chat_model(settings: ToolsSettings) -> "ChatModel | None":
    """Build what streams a conversation; None where no key is set."""
    api = _model_api(settings)
    if api is None:
        return None
    from shared.llm.streaming import ChatModel  # noqa: PLC0415  only those need it who have a model

    return ChatModel(api)


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


def judge(settings: ModelSettings) -> "Judge | None":
    """Build what asks the language model; None where no key is set."""
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
    return Judge(ChatClient(api), budget=budget, structured=settings.openai_structured_output)


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
