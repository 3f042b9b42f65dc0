"""Logs of services; apart from `common`, for a quick command needs none."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_log() -> None:
    """Logs for services: a line an event on standard error, JSON unless a person is watching."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING)


def silence_log() -> None:
    """For commands that a person runs: the outcome is printed, not logged."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
