"""Alerts and charts ask for what the functions measure, and each alert says what to do."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from shared.gmail.quota import PROFILES
from tests.unit.infra.configuration import ROOT, module, root

ALERTS: dict[str, dict[str, Any]] = root.locals["alerts"]
QUERIES: dict[str, str] = root.locals["queries"]
RUNBOOK = ROOT / "docs" / "operations.md"
WHAT_IS_WATCHED = {
    *("lag", "error-rate", "dead-letters", "lapsing-watches", "gmail-quota", "backlog", "scheduler", "memory"),
    *("model-unavailable", "coverage"),
}


def measured() -> set[str]:
    """Names of what the functions measure, with the endings that a histogram is read by."""
    command = [sys.executable, "-m", "tests.unit.infra.instruments"]
    return set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())


def test_what_can_go_wrong_is_watched() -> None:
    assert set(ALERTS) == WHAT_IS_WATCHED


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_the_runbook_has_a_heading_for_the_alert(alert: str) -> None:
    headings = [line.lstrip("# ") for line in RUNBOOK.read_text().splitlines() if line.startswith("#")]
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    explicit = set(re.findall(r'<a (?:id|name)="([^"]+)">', RUNBOOK.read_text()))
    assert alert in anchors | explicit


def test_an_alert_links_to_its_heading() -> None:
    (policy,) = module("alerts").of("google_monitoring_alert_policy").values()
    (documentation,) = policy["documentation"]
    assert "${var.runbook}#${each.key}" in documentation["content"]


def test_alerts_can_be_made_before_anything_was_measured() -> None:
    (policy,) = module("alerts").of("google_monitoring_alert_policy").values()
    (condition,) = policy["conditions"]
    (query,) = condition["condition_prometheus_query_language"]
    assert query["disable_metric_validation"] is True


def test_alerts_and_charts_ask_for_what_is_measured() -> None:
    asked = set(re.findall(r"(?<![\w:])tenths_[a-z_]+", json.dumps([QUERIES, ALERTS])))
    assert asked
    assert asked <= measured()


def test_every_query_is_used() -> None:
    used = set(re.findall(r"local\.queries\.(\w+)", json.dumps([ALERTS, root.modules["dashboard"]])))
    assert used == set(QUERIES)


def test_log_based_metrics_are_asked_for_by_the_names_that_they_are_made_under() -> None:
    made = {f"user_{body['name'].replace('/', '_')}" for body in root.of("google_logging_metric").values()}
    asked = set(re.findall(r"logging_googleapis_com:(\w+)\{", json.dumps(QUERIES)))
    assert asked == made


def test_somebody_is_named() -> None:
    validation = json.dumps(root.variables["alert_emails"]["validation"])
    assert "length(var.alert_emails) > 0" in validation
    assert "default" not in root.variables["alert_emails"]


def test_the_share_of_gmails_quota_is_of_what_gmail_allows() -> None:
    assert {profile.units_a_project_minute for name, profile in PROFILES.items() if name != "unmetered"} == {
        root.locals["gmail_units_a_minute"]
    }
