"""Logs of services; apart from `common`, for a quick command needs none."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from storewatch.errors import SettingsError

FORMATS = ("auto", "json", "text")

_SECRETS = (
    (re.compile(r"(\w://)[^\s/@]+@"), r"\1…@"),  # name and password in an address
    (re.compile(r"(/(?:link|shared|alerts)/)[\w~.-]+"), r"\1…"),  # what follows opens a door
    (re.compile(r"(?i)(bearer )\S+"), r"\1…"),
)
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), 127)}


def configure_log(form: str = "auto", process: str = "") -> None:
    """Logs for services: a line an event on standard error, `json` or `text`; `auto` is text for a terminal.

    What libraries log comes out in the same form. `process` says in each line whose it is.
    """
    if form not in FORMATS:
        raise SettingsError(f"STOREWATCH_LOG_FORMAT is '{form}': it is auto, json or text")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        _harmless,
    ]
    if process:
        shared.insert(0, _says(process))
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "text" or (form == "auto" and sys.stderr.isatty()):
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, renderer], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    _of_libraries(shared, renderer)


def _of_libraries(shared: list[Processor], renderer: Processor) -> None:
    """Warnings and errors of libraries, in the same form."""
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    chain = [structlog.stdlib.add_logger_name, *shared]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=last))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _says(process: str) -> Processor:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, "process": process}

    return add


def _harmless(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes out what is secret, and what could begin a line of its own."""
    return {
        name: _told(value, keep_lines=name == "exception") if isinstance(value, str) else value
        for name, value in event.items()
    }


def _told(text: str, *, keep_lines: bool) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text if keep_lines else text.translate(_CONTROLS)


def silence_log() -> None:
    """For commands that a person runs: the outcome is printed, not logged."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
