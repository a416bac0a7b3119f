"""configure_time_tracking: show and change how time is found, rounded and attributed."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, StringConstraints, field_validator

from shared.caller import Caller
from shared.errors import AccessRevoked, InvalidArguments, StoreRefused, WrongArgument
from shared.gmail import answers
from shared.gmail.client import Gmail
from shared.models import AnalysisMode, RoundingMode, RoundingScope
from shared.store.analyses import DirectoryMatter, TimekeeperSettings
from shared.store.entries import OwnData
from shared.store.mailboxes import MailboxStore
from shared.store.timekeepers import OwnMailbox, Timekeeper, Timekeepers
from shared.tools.mailboxes import RECONNECT, MailboxShown, notice
from shared.tools.registry import Arguments, Report, ToolAnswer
from shared.tools.told import words

NAME: Final = "configure_time_tracking"
DESCRIPTION: Final = (
    "Shows the user's time tracking settings and directory of clients and matters, and changes those that are given."
    " Without arguments it only shows them. A changed rounding rule or rate never rewrites entries that exist."
)
# What Postgres says of values: data exceptions, check violations.
_WRONG_VALUES: Final = ("22", "23514")
# Settings that say nothing of anybody.
_TOLD: Final = frozenset(
    {"time_zone", "rounding_increment", "rounding_mode", "rounding_scope", "rounding_minimum", "hourly_rate"}
    | {"analysis_mode", "minimum_confidence", "auto_analysis"}
)
LABEL_SECONDS: Final = 5.0
# 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60: what divides an hour.
INCREMENTS: Final = tuple(minutes for minutes in range(1, 61) if 60 % minutes == 0)

Recipient = Annotated[
    str, StringConstraints(max_length=320, pattern=r"^[^@\s]*@[^@\s]+\.[^@\s]+$", strip_whitespace=True, to_lower=True)
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=225, strip_whitespace=True)]
Domain = Annotated[
    str,
    StringConstraints(
        max_length=255, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", strip_whitespace=True, to_lower=True
    ),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
RateCategory = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
Rate = Annotated[float, Field(ge=0, le=99_999_999.99, description="An hour's price, in the user's currency.")]
Setting = Literal[
    "time_zone", "rounding_increment", "rounding_mode", "rounding_scope", "rounding_minimum", "rate_category",
    "hourly_rate", "analysis_mode", "minimum_confidence", "auto_analysis", "excluded_recipients", "excluded_labels",
    "default_client_matter",
]  # fmt: skip


class MatterName(Arguments):
    """A line of the directory by its name."""

    client: Name
    matter: Name | None = None


class NewMatter(MatterName):
    """A line of the directory. One of the same client and matter is replaced."""

    aliases: Annotated[tuple[Name, ...], Field(max_length=50, description="Other names by which emails call it.")] = ()
    domains: Annotated[
        tuple[Domain, ...], Field(max_length=50, description="Mail domains: email to them is about it by default.")
    ] = ()
    rate_category: RateCategory | None = None
    hourly_rate: Rate | None = None


class ConfigureArguments(Arguments):
    """What to change; what is left out stays as it is."""

    time_zone: Annotated[str | None, Field(max_length=64, description="IANA name, such as Europe/London.")] = None
    rounding_increment: Annotated[
        int | None, Field(description="Minutes that entries are rounded to: a divisor of 60, 6 for tenths of an hour.")
    ] = None
    rounding_mode: RoundingMode | None = None
    rounding_scope: Annotated[
        RoundingScope | None, Field(description="entry: each by itself; matter_day: a matter's day once.")
    ] = None
    rounding_minimum: Annotated[int | None, Field(ge=0, le=60, description="The least that is billed, minutes.")] = None
    rate_category: RateCategory | None = None
    hourly_rate: Rate | None = None
    analysis_mode: Annotated[
        AnalysisMode | None,
        Field(description="What a language model may see where rules are unsure: nothing, sentences, the new text."),
    ] = None
    minimum_confidence: Annotated[
        float | None, Field(ge=0, le=1, description="Entries less sure than this are not stored.")
    ] = None
    auto_analysis: Annotated[bool | None, Field(description="Whether email is read as it is sent.")] = None
    excluded_recipients: Annotated[
        tuple[Recipient, ...] | None,
        Field(max_length=500, description="Addresses, or @domain: email to nobody else is never read. The whole list."),
    ] = None
    excluded_labels: Annotated[
        tuple[Label, ...] | None,
        Field(max_length=100, description="Gmail labels: email with one of them is never read. The whole list."),
    ] = None
    default_client_matter: Annotated[
        Name | None, Field(description="The client or matter of entries whose email tells none.")
    ] = None
    reset: Annotated[tuple[Setting, ...], Field(max_length=20, description="Settings to put back as they were.")] = ()
    add_matters: Annotated[tuple[NewMatter, ...], Field(max_length=200)] = ()
    remove_matters: Annotated[tuple[MatterName, ...], Field(max_length=200)] = ()

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str | None) -> str | None:
        if name is not None and name not in _time_zones():
            raise ValueError("there is no such time zone; give an IANA name, such as America/New_York")
        return name

    @field_validator("rounding_increment")
    @classmethod
    def _divides_an_hour(cls, minutes: int | None) -> int | None:
        if minutes is not None and minutes not in INCREMENTS:
            raise ValueError(f"must divide an hour: one of {', '.join(map(str, INCREMENTS))}")
        return minutes


class ShownMatter(BaseModel):
    """A line of the directory."""

    client: str
    matter: str | None
    aliases: tuple[str, ...]
    domains: tuple[str, ...]
    rate_category: str | None
    hourly_rate: float | None


class Configuration(ToolAnswer):
    """The settings and the directory as they are now. `version` rises with every change.

    `rereads`: emails that were read before are read again by the next scan, since they may come out differently.
    `mailboxes`: those that are connected or were; `notice` says what to do where one isn't being read.
    """

    version: int
    changed: bool
    rereads: bool
    settings: dict[str, Any]
    matters: tuple[ShownMatter, ...]
    mailboxes: tuple[MailboxShown, ...]
    notice: str | None

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        told = self.model_dump(mode="json", exclude={"matters", "settings"})
        if mode is AnalysisMode.RULES_ONLY:  # names and addresses are for the user alone
            settings = {name: value for name, value in self.settings.items() if name in _TOLD}
            return told | {"settings": settings, "matters": len(self.matters)}
        return told | {
            "settings": self.settings,
            "matters": [words(mode, client=each.client, matter=each.matter) for each in self.matters],
        }


@dataclass(frozen=True, slots=True)
class Configure:
    """The parts that it takes."""

    timekeepers: Timekeepers
    own: OwnData
    gmail: Gmail
    mailboxes: MailboxStore

    async def run(self, caller: Caller, arguments: ConfigureArguments, _report: Report) -> Configuration:
        """Show, after changing what is given. Raises InvalidArguments, StoreUnavailable and StoreRefused."""
        given = arguments.model_dump(mode="json", exclude_unset=True)
        if not given:
            timekeeper = await self.timekeepers.get(caller.user_id)
            return _shown(timekeeper, timekeeper.rules, timekeeper.matters)
        self.timekeepers.changed(caller.user_id)  # compare with what holds, not with what is remembered
        before = await self.timekeepers.get(caller.user_id)
        _check(arguments, before.matters)
        added, removed = given.pop("add_matters", []), given.pop("remove_matters", [])
        changes = {name: _DEFAULTS[name] for name in given.pop("reset", [])} | given
        if arguments.excluded_labels:
            changes["excluded_labels"] = await self._label_ids(before, arguments.excluded_labels)
        try:
            row = await self.own.configure(
                caller,
                changes,
                [NewMatter.model_validate(each, strict=False).model_dump(mode="json") for each in added],
                [MatterName.model_validate(each, strict=False).model_dump(mode="json") for each in removed],
            )
        except StoreRefused as refusal:
            if not refusal.sqlstate.startswith(_WRONG_VALUES):
                raise
            # Such as a time zone that this machine knows and the database doesn't.
            names = ", ".join(changes) or "add_matters"
            raise InvalidArguments(WrongArgument(names, "the database does not take this value")) from refusal
        finally:
            self.timekeepers.changed(caller.user_id)
        rules = TimekeeperSettings.model_validate(row["settings"]) if row["settings"] else TimekeeperSettings()
        matters = tuple(DirectoryMatter.model_validate(each) for each in row["matters"])
        return _shown(before, rules, matters)

    async def _label_ids(self, timekeeper: Timekeeper, names: tuple[str, ...]) -> list[str]:
        """What emails carry of these labels, in each of the mailboxes. Raises InvalidArguments, and Gmail's errors."""
        ids: dict[str, set[str]] = {}
        for mailbox in timekeeper.readable:
            for label in await self._labels(timekeeper, mailbox):
                ids.setdefault(label.name.casefold(), set()).add(label.id)
                ids.setdefault(label.id.casefold(), set()).add(label.id)
        wrong = [
            WrongArgument(f"excluded_labels.{place}", "there is no such label in a connected mailbox")
            for place, name in enumerate(names)
            if name.casefold() not in ids
        ]
        if wrong:
            raise InvalidArguments(*wrong)
        return sorted({each for name in names for each in ids[name.casefold()]})

    async def _labels(self, timekeeper: Timekeeper, mailbox: OwnMailbox) -> tuple[answers.Label, ...]:
        inbox = self.gmail.mailbox(mailbox.id, mailbox.refresh_token_encrypted, patience_seconds=LABEL_SECONDS)
        try:
            return await inbox.labels()
        except AccessRevoked as revoked:
            await self.mailboxes.mark_access_revoked(mailbox.id, mailbox.refresh_token_encrypted)
            self.timekeepers.changed(timekeeper.user_id)
            raise AccessRevoked(RECONNECT) from revoked


_DEFAULTS: Final = TimekeeperSettings().model_dump(mode="json")


def _check(arguments: ConfigureArguments, matters: tuple[DirectoryMatter, ...]) -> None:
    """What only makes sense together, or against what there is. Raises InvalidArguments."""
    wrong = [
        WrongArgument("reset", f"{name} is given as well")
        for name in arguments.reset
        if getattr(arguments, name) is not None
    ]
    there = {(each.client, each.matter) for each in matters}
    wrong += [
        WrongArgument(f"remove_matters.{place}", "there is no such client and matter in the directory")
        for place, each in enumerate(arguments.remove_matters)
        if (each.client, each.matter) not in there
    ]
    named = [(each.client, each.matter) for each in arguments.add_matters]
    wrong += [
        WrongArgument(f"add_matters.{place}", "is given twice")
        for place, name in enumerate(named)
        if name in named[:place]
    ]
    if wrong:
        raise InvalidArguments(*wrong)


def _shown(before: Timekeeper, rules: TimekeeperSettings, matters: tuple[DirectoryMatter, ...]) -> Configuration:
    settings = rules.model_dump(mode="json", exclude={"version", "analysis_version", "time_zone"})
    return Configuration(
        version=rules.version,
        changed=matters != before.matters or rules != before.rules,
        rereads=rules.analysis_version != before.rules.analysis_version,
        settings={"time_zone": rules.time_zone.key if rules.time_zone else None, **settings},
        matters=tuple(ShownMatter.model_validate(each.model_dump()) for each in matters),
        mailboxes=tuple(MailboxShown(id=each.id, state=each.state) for each in before.mailboxes),
        notice=notice(each.state for each in before.mailboxes),
    )


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if not re.match(r"posix/|right/|localtime$|Factory$", name))
