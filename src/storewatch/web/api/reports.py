"""The original endpoints: /trigger_report, /get_report, /download/<report_id>."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import MethodNotAllowed

from storewatch.domain.availability import Policy
from storewatch.domain.clock import parse_duration, parse_instant
from storewatch.domain.permissions import READ, WRITE, Via
from storewatch.errors import ConflictError, NotFoundError, UsageError
from storewatch.formats.csv_out import report_csv
from storewatch.services import report_figures, reporting
from storewatch.services.reporting import Request
from storewatch.storage.tables import Report
from storewatch.web import idempotency
from storewatch.web.access import ask_again, caller, needs
from storewatch.web.context import database, default_request, ending, now_us
from storewatch.web.streams import begun

blueprint = Blueprint("reports", __name__)
idempotency.register(blueprint)

_FIELDS = ("as_of", "policy", "max_gap")
_ENDED = ("failed", "cancelled")
_LONGEST_WAIT = 60
_LOOK_EVERY = 0.01  # seconds; a look costs a millisecond
_LATER_AT_MOST = 1 / 20  # what takes long is looked at less often: so much later, as a part of the time


@blueprint.route("/trigger_report", methods=["GET", "POST"])
@needs(WRITE)
def trigger_report() -> tuple[Response, int]:
    """Starts a report. Optional as_of, policy, max_gap: in a JSON body, or in the query."""
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET", "POST"], "To ask about a report starts none: send a POST")
    if request.method != "POST" and caller().via is Via.SESSION:
        raise MethodNotAllowed(["POST"], "A link must not start a report: send a POST")
    report_id = reporting.trigger(database(), caller(), _asked(_parameters()), now_us())
    response = jsonify(report_id=str(report_id))
    response.headers["Location"] = url_for("reports.get_report", report_id=report_id)
    return response, 202


@blueprint.get("/get_report")
@needs(READ)
def get_report() -> Response | tuple[Response, int]:
    """Running, Complete or Failed; with `Accept: text/csv` the CSV itself once it is complete."""
    report = waited_for(_report_id(request.args.get("report_id")), _wait())
    if request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        return _as_csv(report)
    return jsonify(_status(report))


@blueprint.get("/download/<report_id>")
@needs(READ)
def download(report_id: str) -> Response:
    """The file `<report_id>.csv`."""
    report = reporting.get(database(), caller(), _report_id(report_id.removesuffix(".csv")))
    if report.status != "complete":
        raise ConflictError(_not_ready(report))
    return _file(report)


def _parameters() -> dict[str, Any]:
    """The parameters as they came, by name; unknown ones are an error, for a typo must not go unseen."""
    parameters: dict[str, Any] = dict(request.args)
    if request.get_data(cache=True).strip():
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            raise UsageError('The body must be a JSON object like {"policy": "nearest"}, or empty')
        parameters |= body
    for name in parameters:
        if name not in _FIELDS:
            raise UsageError(f"There is no parameter '{name}'; there are {', '.join(_FIELDS)}", field=name)
    return {name: value for name, value in parameters.items() if value is not None}


def _asked(parameters: dict[str, Any]) -> Request:
    """The report that is asked for. UsageError names the parameter that cannot be read."""
    for name, value in parameters.items():
        if not isinstance(value, str):
            raise UsageError(f"{name} must be a text", field=name)
    asked = default_request()
    if "as_of" in parameters:
        asked = replace(asked, as_of=_read(parse_instant, parameters, "as_of", "2023-01-25T18:13:22Z"))
    if "max_gap" in parameters:
        asked = replace(asked, max_gap=_read(parse_duration, parameters, "max_gap", "45m, 3h or 1h30m"))
    if "policy" in parameters:
        asked = replace(asked, policy=_policy(parameters["policy"]))
    return asked


def _read(parse: Any, parameters: dict[str, str], name: str, example: str) -> int:
    value: int | None = parse(parameters[name])
    if value is None:
        raise UsageError(f"{name} is '{parameters[name][:60]}': write it like {example}", field=name)
    return value


def _policy(text: str) -> Policy:
    try:
        return Policy(text)
    except ValueError:
        raise UsageError(f"policy is '{text[:60]}': it is nearest or previous", field="policy") from None


def _report_id(text: str | None) -> UUID:
    if not text:
        raise UsageError("report_id is missing: /get_report?report_id=…", field="report_id")
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(f"There is no report '{text[:60]}'") from None


def _wait() -> float:
    text = request.args.get("wait", "0")
    if not text.isdecimal() or int(text) > _LONGEST_WAIT:
        raise UsageError(f"wait must be 0 to {_LONGEST_WAIT} seconds", field="wait")
    return float(text)


def waited_for(report_id: UUID, seconds: float) -> Report:
    """The report, once it is finished, the time is over or the service is told to stop."""
    began = time.monotonic()
    while True:
        report = reporting.get(database(), caller(), report_id)
        waited = time.monotonic() - began
        if report.finished_at is not None or waited >= seconds or ending():
            return report if waited < _LOOK_EVERY else _still_theirs(report)
        time.sleep(max(_LOOK_EVERY, waited * _LATER_AT_MOST))


def _still_theirs(report: Report) -> Report:
    """The report, if who asked is still known after the wait and may still read it."""
    ask_again()
    return reporting.get(database(), caller(), report.report_id)


def _status(report: Report) -> dict[str, Any]:
    if report.status in _ENDED:
        return {"status": "Failed", "error": _why(report)}
    summary = report_figures.seen(database(), caller(), report)
    if summary is None:
        return {"status": "Running", "progress": report.progress}
    coverage = {w.name: None if w.coverage is None else round(w.coverage, 4) for w in summary.windows}
    url = url_for("reports.download", report_id=report.report_id)
    return {"status": "Complete", "download_url": url, "coverage": coverage}


def _as_csv(report: Report) -> Response | tuple[Response, int]:
    if report.status == "complete":
        return _file(report)
    if report.status in _ENDED:
        raise ConflictError(_not_ready(report))
    response = jsonify(_status(report))
    response.headers["Retry-After"] = "1"
    return response, 202


def _not_ready(report: Report) -> str:
    if report.status in _ENDED:
        return f"The report failed, there is no file: {_why(report)}"
    return f"The report is still running ({report.progress} %): ask /get_report until it is Complete"


def _why(report: Report) -> str:
    return report.error or "It was cancelled."


def _is_raw() -> bool:
    text = request.args.get("figures", "adjusted")
    if text not in ("adjusted", "raw"):
        raise UsageError(f"figures is '{text[:60]}': it is adjusted or raw", field="figures")
    return text == "raw"


def _file(report: Report) -> Response:
    if not reporting.is_classic(report):
        raise ConflictError(
            "The report has other windows than the seven columns: take its extended form, "
            f"/api/v1/reports/{report.report_id}/file?form=extended"
        )
    rows = reporting.rows(database(), caller(), report, raw=_is_raw())
    chunks = report_csv(rows, report.window_names)
    name = f'attachment; filename="{report.report_id}.csv"'
    return Response(begun(chunks), mimetype="text/csv", headers={"Content-Disposition": name})
