"""Structured logs to stdout: JSON lines, or readable ones in a terminal. Ids only, never people."""

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, Processor

_DEEPEST = 20


def _only_where(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Let an exception say what kind it is and where it came from, and not its words.

    They may quote what a person wrote: PostgreSQL names the values of a row that it refuses.
    """
    error = _raised(event.pop("exc_info", None))
    if error is None:
        return event
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    event["kind"] = type(error).__name__
    event["sqlstate"] = getattr(error, "sqlstate", None)
    event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _raised(said: object) -> BaseException | None:
    """Return the exception that a log call speaks of: itself, a triple, or whatever is handled."""
    if isinstance(said, BaseException):
        return said
    if isinstance(said, tuple):
        return said[1] if isinstance(said[1], BaseException) else None
    return sys.exc_info()[1] if said else None


def configure() -> None:
    """Send structlog and the standard library's loggers through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _only_where,
    ]
    render: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stdout.isatty()
        else [structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Its lines hold addresses and queries of people; what is worth knowing is in the metrics.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("asyncio").setLevel(logging.WARNING)
