"""The whole system on one machine: every part started, wired and, at the end, stopped.

    async with Stack(folder) as stack:
        user = await stack.add_user("dana@whitfieldlaw.example")
        mailbox = await stack.connect(user)          # connected and watched
        await mailbox.send(raw)                      # push -> gmail_push -> analyze_email -> Postgres

Ports are chosen free, so a second stack can run beside it. Everything ends with the process that started it.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

import asyncpg
import httpx
from cryptography.fernet import Fernet
from google.api_core.exceptions import GoogleAPICallError
from grpc.aio import AioRpcError

from infra.local.gateway import Gateway
from infra.local.google_identity import PUSH_ACCOUNT, SCHEDULER_ACCOUNT, GoogleIdentity
from infra.local.mailbox import DELEGATED_DOMAIN, ConnectedMailbox, app_credentials, connect
from infra.local.migrations import apply_migrations
from infra.local.openai.part import Model
from infra.local.parts import Part, PartFailed, http_answers, module_path
from infra.local.ports import free_port
from infra.local.postgres import Postgres
from infra.local.postgrest import Postgrest
from infra.local.pubsub import Preference, lay_out, pubsub
from infra.local.pubsub.topology import Delivery
from infra.local.tokens import ProjectKeys
from infra.local.valkey import Valkey

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "tenths-local"
GMAIL_EVENTS: Final = "gmail-events"
SENT_EMAILS: Final = "sent-emails"
RESCAN_PAGES: Final = "rescan-pages"
# Where users' browsers have the application: people are sent back there from Google.
APPLICATION: Final = "https://app.tenths.example"
# The topic that pushes to each function.
PUSHED: Final[Mapping[str, str]] = {
    "gmail_push": GMAIL_EVENTS,
    "analyze_email": SENT_EMAILS,
    "rescan_page": RESCAN_PAGES,
}
# The paths under which each function answers users.
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "tools": ("tools", "chat"),
    "rescans": ("rescans", "coverage"),
    "mailbox": ("mailbox",),
    "my_data": ("my_data",),
}
# What the scheduler calls.
SCHEDULED: Final = ("maintenance",)
FUNCTIONS: Final = (*PUSHED, *ASKED, *SCHEDULED)
# The ack deadline leaves room for a wait for Gmail's quota. Tries enough for an outage of minutes, with pauses short
# enough for a person who watches.
DELIVERY: Final = Delivery(ack_deadline=timedelta(seconds=60), maximum_backoff=timedelta(seconds=10), tries=20)

LAYING_OUT_SECONDS: Final = 30.0

Rewire = Callable[[str, str, int], int]


@dataclass(frozen=True)
class User:
    """A user of the stack's Supabase, with a token good for a day."""

    id: UUID
    email: str
    token: str


class Stack:
    """All parts.

    folder: for logs and data; what is in it is the stack's.
    quota_profile: Gmail's quota, for the simulator and the functions alike.
    simulate_model: the functions ask the simulated language model; else the environment's, if it names one.
    rewire: puts something between a function and a part (`gateway`, `gmail`, `openai`, `pubsub`): from the part's port
    to the port that the function is given.
    keep_all: also restart Postgres and the like when they end by themselves; functions always are, as in the cloud.
    delivery: how Pub/Sub tries its pushes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        quota_profile: str = "2026",
        prefer_pubsub: Preference = "auto",
        gmail_options: tuple[str, ...] = (),
        simulate_model: bool = False,
        rewire: Rewire = lambda _function, _part, port: port,
        keep_all: bool = False,
        delivery: Delivery = DELIVERY,
    ) -> None:
        self.folder = folder
        self.quota_profile = quota_profile
        self.pubsub = pubsub(folder, prefer=prefer_pubsub)
        self._gmail_options = gmail_options
        self.model = Model(folder, simulate=simulate_model)
        self._rewire = rewire
        self._keep_all = keep_all
        self._delivery = delivery
        self._exit = AsyncExitStack()
        self._keepers: list[asyncio.Task[None]] = []
        self._function_ports = {name: free_port() for name in FUNCTIONS}
        self._metrics_ports = {name: free_port() for name in FUNCTIONS}
        # Two, as while keys change: the first encrypts, both can be read.
        self.encryption_keys = f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}"
        self.state_signing_key = Fernet.generate_key().decode()
        gateway_port = free_port()
        self.keys = ProjectKeys.generate(issuer=f"http://127.0.0.1:{gateway_port}/auth/v1")
        self.identity = GoogleIdentity.generate()
        self.valkey = Valkey(folder)
        self.postgres = Postgres(folder)
        self.postgrest = Postgrest(folder, self.postgres, self.keys)
        self.gateway = Gateway(
            folder,
            self.keys,
            rest_url=self.postgrest.url,
            functions={
                path: f"http://127.0.0.1:{port}"
                for name, port in self._function_ports.items()
                for path in ASKED.get(name, (name,))
            },
            port=gateway_port,
            identity=self.identity,
        )
        self.functions: dict[str, Part] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        model = (self._exit.enter_async_context(part) for part in self.model.parts)
        valkey = self._exit.enter_async_context(self.valkey)
        await _together(self._start_database(), self._start_pubsub(), valkey, *model)
        # The simulator publishes pushes, so it comes after Pub/Sub; the functions come last.
        self.gmail = await self._exit.enter_async_context(self._gmail())
        self.http = await self._exit.enter_async_context(httpx.AsyncClient(timeout=60))
        self._app = await app_credentials(self.http, self.gmail_url)
        self.functions = {name: self._function(name) for name in FUNCTIONS}
        await _together(*(self._exit.enter_async_context(part) for part in self.functions.values()))
        self._keepers = [asyncio.create_task(_keep(part)) for part in self.functions.values()]
        if self._keep_all:
            others: list[Part] = [
                *(self.valkey, self.postgres, self.postgrest, self.gateway, self.gmail),
                *self.model.parts,
            ]
            self._keepers += [asyncio.create_task(_keep(part)) for part in others]
            self._keepers.append(asyncio.create_task(_keep(self.pubsub, then=self._lay_out_anew)))

    async def _start_database(self) -> None:
        await self._exit.enter_async_context(self.postgres)
        await apply_migrations(self.postgres.url, ROOT / "supabase" / "migrations")
        await self._exit.enter_async_context(self.postgrest)
        await self._exit.enter_async_context(self.gateway)

    async def _start_pubsub(self) -> None:
        await self._exit.enter_async_context(self.pubsub)
        await self._lay_out()

    async def _lay_out(self) -> None:
        # Through the router, which answers 503 while a function is away, as the cloud's front end does: a refused
        # connection the emulator takes for a delivery under way, and waits for the ack deadline.
        endpoints = {topic: self.gateway.push_endpoint(name) for name, topic in PUSHED.items()}
        await lay_out(self.pubsub.host, PROJECT, endpoints, delivery=self._delivery)

    async def _lay_out_anew(self) -> None:
        """The same once it runs again; if it is killed meanwhile, whoever starts it once more does this once more."""
        while self.pubsub.running:
            try:
                async with asyncio.timeout(LAYING_OUT_SECONDS):
                    await self._lay_out()
            except (AioRpcError, GoogleAPICallError, TimeoutError):
                await asyncio.sleep(0.25)
            else:
                return

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._exit.aclose()

    def _gmail(self) -> Part:
        self.gmail_port = free_port()
        data = self.folder / "gmail"
        topic = ["--pubsub-emulator", self.pubsub.host, "--project", PROJECT, "--topic", GMAIL_EVENTS]
        options = ["--port", str(self.gmail_port), "--data", str(data), "--quota-profile", self.quota_profile]
        return Part(
            "gmail simulator",
            [sys.executable, "-m", "infra.local.gmail", *options, *topic, *self._gmail_options],
            log=self.folder / "gmail.log",
            ready=lambda: http_answers(self.gmail_port, "/healthz"),
            env=module_path(),
        )

    def _function(self, name: str) -> Part:
        """One function's process, served by functions-framework as in the cloud."""
        port = self._function_ports[name]
        own = {
            "FUNCTION_TARGET": name,
            "FUNCTION_SOURCE": str(ROOT / "main.py"),
            # What is measured is scraped at a port of its own, which the gateway doesn't know.
            "METRICS_EXPORTER": "prometheus",
            "METRICS_PORT": str(self._metrics_ports[name]),
        }
        return Part(
            name,
            [Path(sys.executable).with_name("functions-framework"), "--host=127.0.0.1", f"--port={port}"],
            log=self.folder / f"{name}.log",
            ready=lambda: http_answers(port, "/health"),
            env={**self.function_settings(name), **own},
            death_signal=signal.SIGTERM,  # its server's master ends the worker
        )

    def function_settings(self, function: str | None = None) -> dict[str, str]:
        """The environment of a function: the same variables as in the cloud, pointing at this stack."""

        def port(part: str, own: int) -> int:
            return self._rewire(function, part, own) if function else own

        gmail = f"http://127.0.0.1:{port('gmail', self.gmail_port)}"
        return {
            "SUPABASE_URL": f"http://127.0.0.1:{port('gateway', self.gateway.port)}",
            "SUPABASE_SECRET_KEY": self.keys.secret_key,
            "SUPABASE_PUBLISHABLE_KEY": self.keys.publishable_key,
            "SUPABASE_JWT_ISSUER": self.keys.issuer,
            "GMAIL_API_ENDPOINT": gmail,
            "OAUTH_TOKEN_ENDPOINT": f"{gmail}/token",
            "OAUTH_REVOCATION_ENDPOINT": f"{gmail}/revoke",
            "OAUTH_AUTHORIZATION_ENDPOINT": f"{self.gmail_url}/o/oauth2/v2/auth",
            "CALLBACK_URL": f"{self.gateway.functions_url}/mailbox/callback",
            "APP_ORIGINS": APPLICATION,
            "STATE_SIGNING_KEY": self.state_signing_key,
            "GMAIL_EVENTS_TOPIC": GMAIL_EVENTS,
            "DELEGATION_KEY": self._app.delegation_key,
            "DELEGATED_DOMAINS": DELEGATED_DOMAIN,
            "GOOGLE_CLIENT_ID": self._app.client_id,
            "GOOGLE_CLIENT_SECRET": self._app.client_secret,
            "TOKEN_ENCRYPTION_KEYS": self.encryption_keys,
            "GMAIL_QUOTA_PROFILE": self.quota_profile,
            "GCP_PROJECT": PROJECT,
            "SENT_EMAILS_TOPIC": SENT_EMAILS,
            "RESCAN_PAGES_TOPIC": RESCAN_PAGES,
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port('pubsub', self.pubsub.port)}",
            "REDIS_URL": f"redis://127.0.0.1:{port('valkey', self.valkey.port)}/0",
            "CALLER_AUDIENCE": self.gateway.functions_url,
            "CALLER_ACCOUNTS": SCHEDULER_ACCOUNT if function in SCHEDULED else PUSH_ACCOUNT,
            "GOOGLE_KEYS_URL": self.gateway.google_keys_url,
            **self.model.settings(lambda own: port("openai", own)),
            "LOG_FORMAT": "json",
        }

    @property
    def push_token(self) -> str:
        """What Google sends along with a push, good for an hour: for deliveries that don't come by Pub/Sub."""
        return self.identity.token(self.gateway.functions_url, PUSH_ACCOUNT)

    @property
    def scheduler_token(self) -> str:
        """The same for what the scheduler calls."""
        return self.identity.token(self.gateway.functions_url, SCHEDULER_ACCOUNT)

    def metrics_url(self, function: str) -> str:
        """Where what a function measures is scraped."""
        return f"http://127.0.0.1:{self._metrics_ports[function]}/metrics"

    @property
    def gmail_url(self) -> str:
        """GMAIL_API_ENDPOINT, as mail clients and tests reach it."""
        return f"http://127.0.0.1:{self.gmail_port}"

    async def add_user(self, email: str) -> User:
        """A user who has signed up with Supabase."""
        user_id = uuid4()
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute(
                "insert into auth.users (id, email, email_confirmed_at) values ($1, $2, now())", user_id, email
            )
        finally:
            await connection.close()
        return User(user_id, email, self.keys.user_token(user_id, email))

    async def connect(self, user: User) -> ConnectedMailbox:
        """A Gmail mailbox of the user's address, connected and watched."""
        async with self.functions_as(user) as functions:
            return await connect(self.http, self.gmail_url, functions, address=user.email, application=APPLICATION)

    def rest(self, user: User) -> httpx.AsyncClient:
        """PostgREST with the user's own rights. The caller closes it."""
        headers = {"apikey": self.keys.publishable_key, "Authorization": f"Bearer {user.token}"}
        return httpx.AsyncClient(base_url=f"{self.gateway.url}/rest/v1", headers=headers, timeout=30)

    def functions_as(self, user: User) -> httpx.AsyncClient:
        """The functions as this user's own client reaches them. The caller closes it."""
        headers = {"Authorization": f"Bearer {user.token}"}
        return httpx.AsyncClient(base_url=self.gateway.functions_url, headers=headers, timeout=120)


async def _together(*starting: Coroutine[Any, Any, Any]) -> None:
    """Run all; when one fails, cancel the others and raise its error alone."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in starting:
                group.create_task(one)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _keep(part: Part, *, then: Callable[[], Awaitable[None]] | None = None) -> None:
    """Start a part again whenever it ends, as the cloud does with an instance."""
    while True:
        await part.wait_exit()
        try:
            await part.start()
        except PartFailed:
            await asyncio.sleep(0.5)  # such as a port not free yet; its log says more
            continue
        if then is not None:
            await then()  # Pub/Sub holds all in memory: its topics have to be made again
