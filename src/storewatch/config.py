"""Settings: one table of name, default and meaning, read from the environment once, frozen after.

Only the command line and `create_app` read them; everything else is handed values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from storewatch.errors import SettingsError


def _setting(variable: str, default: Any, help_text: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"variable": variable, "help": help_text, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """What a person can set. Each comes from its variable, or from the file that `{variable}_FILE` names."""

    database_url: str = _setting(
        "STOREWATCH_DATABASE_URL",
        "",
        "the PostgreSQL to use, 15 or newer; without it storewatch starts its own",
        secret=True,  # it may hold a password
    )
    home: str = _setting(
        "STOREWATCH_HOME",
        "",
        "where storewatch keeps its own PostgreSQL; "
        "by default ~/.local/share/storewatch, for root /var/lib/storewatch",
    )
    default_zone: str = _setting(
        "STOREWATCH_DEFAULT_ZONE", "America/Chicago", "the time zone of stores that have none"
    )
    seen_within: str = _setting(
        "STOREWATCH_SEEN_WITHIN", "45m", "how near to a poll a state counts as seen and not as inferred"
    )
    currency: str = _setting(
        "STOREWATCH_CURRENCY", "USD", "the currency of all revenue, by its three letters (ISO 4217)"
    )
    keep_reports: str = _setting(
        "STOREWATCH_KEEP_REPORTS", "90d", "reports that are not pinned are removed after this time"
    )
    keep_polls: str = _setting(
        "STOREWATCH_KEEP_POLLS",
        "",
        "polls are removed so long after they were made, and the days that they decided are frozen; "
        "by default they are kept for good",
    )
    url: str = _setting(
        "STOREWATCH_URL",
        "",
        "where people reach the service, such as https://stores.example.com; "
        "links, cookies and allowed hosts come from it",
    )
    smtp_url: str = _setting(
        "STOREWATCH_SMTP_URL",
        "",
        "the mail server, such as smtp://user:password@mail.example.com:587; without it no mail is sent",
        secret=True,
    )
    mail_from: str = _setting("STOREWATCH_MAIL_FROM", "", "the address that mails come from")

    webhook_networks: str = _setting(
        "STOREWATCH_WEBHOOK_NETWORKS",
        "",
        "private networks that webhooks may lie in, such as 10.1.2.0/24; public addresses always may",
    )
    probe_networks: str = _setting(
        "STOREWATCH_PROBE_NETWORKS",
        "",
        "private networks that storefronts may lie in, such as 10.1.2.0/24; public addresses always may",
    )
    uploads: str = _setting(
        "STOREWATCH_UPLOADS", "", "where uploaded files are kept; by default the folder uploads in the home"
    )
    max_upload: str = _setting(
        "STOREWATCH_MAX_UPLOAD", "1GiB", "how large an uploaded file may be, as it comes and unpacked"
    )
    keep_uploads: str = _setting(
        "STOREWATCH_KEEP_UPLOADS", "30d", "uploaded files are removed so long after they were taken in"
    )

    processes: str = _setting(
        "STOREWATCH_PROCESSES", "1", "how many processes of this machine make a large report together"
    )
    dask: str = _setting(
        "STOREWATCH_DASK",
        "",
        "the Dask scheduler whose workers make large reports, such as tls://scheduler.example.com:8786; "
        "it needs storewatch[dask]",
    )

    watch_folder: str = _setting(
        "STOREWATCH_WATCH_FOLDER",
        "",
        "a folder whose files are taken in by the worker, and put away into done or failed within it",
    )

    intended_reasons: str = _setting(
        "STOREWATCH_INTENDED_REASONS",
        "PAUSED_BY_RESTAURANT",
        "reasons of polls, with commas between, with which an outage was meant to be: it counts as down and "
        "is shown apart",
    )
    alert_after: str = _setting(
        "STOREWATCH_ALERT_AFTER",
        "15m",
        "people are told that a store is down, or up again, after two polls in a row or so much open time",
    )
    alert_within: str = _setting(
        "STOREWATCH_ALERT_WITHIN",
        "2h",
        "alerts are about now: what is learned from older polls is recorded, not told; and after so much "
        "open time without a poll a store is not seen",
    )
    keep_alerts: str = _setting(
        "STOREWATCH_KEEP_ALERTS",
        "365d",
        "what people were told of, and what was sent, is removed so long after it was over",
    )
    apprise_schemes: str = _setting(
        "STOREWATCH_APPRISE_SCHEMES",
        "",
        "services beside mail, Slack, Teams and webhooks that alerts may go to, by the schemes of their "
        "Apprise addresses, with commas between, such as ntfys,discord",
    )

    log_format: str = _setting(
        "STOREWATCH_LOG_FORMAT",
        "auto",
        "how services log: json, text, or auto, which is text for a terminal and json elsewhere",
    )
    metrics_token: str = _setting(
        "STOREWATCH_METRICS_TOKEN",
        "",
        "the bearer token by which Prometheus reads /metrics, 16 characters or more; it opens nothing else",
        secret=True,
    )
    heartbeat_url: str = _setting(
        "STOREWATCH_HEARTBEAT_URL",
        "",
        "called by `serve` while feed, worker and backups are well, as Healthchecks wants it, "
        "such as https://hc-ping.com/…; what ails goes to /fail after it",
        secret=True,
    )
    heartbeat_every: str = _setting("STOREWATCH_HEARTBEAT_EVERY", "1m", "how often it is called")
    feed_within: str = _setting(
        "STOREWATCH_FEED_WITHIN",
        "3h",
        "the feed is well while new polls came so recently, and the newest is no older; "
        "off: it does not matter",
    )
    backup_within: str = _setting(
        "STOREWATCH_BACKUP_WITHIN",
        "2d",
        "a last backup that is older is an ailment for `doctor` and for the heartbeat",
    )

    @property
    def home_path(self) -> Path | None:
        """The home as a path; None means the default."""
        return Path(self.home).expanduser() if self.home else None


def table(settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """(variable, value, meaning) of every setting; its default if no settings are given.

    Of a secret it is only told that it is set.
    """
    shown = settings or Settings()
    values = [(f.metadata, str(getattr(shown, f.name))) for f in fields(Settings)]
    return [
        (meta["variable"], "(set)" if value and meta["secret"] else value, meta["help"])
        for meta, value in values
    ]


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. SettingsError names the variable that cannot be used."""
    values = {f.name: _value(f.metadata["variable"], environment) for f in fields(Settings)}
    return Settings(**{name: value for name, value in values.items() if value is not None})


def _value(variable: str, environment: Mapping[str, str]) -> str | None:
    plain, file = environment.get(variable), environment.get(f"{variable}_FILE")
    if plain and file:
        raise SettingsError(f"{variable} and {variable}_FILE are both set: which one?")
    if not file:
        return plain or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{variable}_FILE names {file}, which cannot be read: {error.strerror}"
        ) from error


def changed(settings: Settings) -> dict[str, str]:
    """By variable, every value that is not the default; secrets too."""
    usual = Settings()
    return {
        f.metadata["variable"]: str(getattr(settings, f.name))
        for f in fields(Settings)
        if getattr(settings, f.name) != getattr(usual, f.name)
    }
