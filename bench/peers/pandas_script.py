"""The job as it is commonly written with pandas, in two ways; `storewatch compare` tells what comes of it.

    python -m bench.peers.pandas_script counting FOLDER OUTPUT.csv
    python -m bench.peers.pandas_script between FOLDER OUTPUT.csv

Both convert polls to local time, look up the hours of their weekday and keep the polls made within them;
stores without hours are open at all times, stores without a zone are in Chicago. `counting` then takes each
poll for an hour, `between` gives the time up to the next poll to the state of the one before it. Nothing is
wrong on purpose: each line is what comes to mind.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

WINDOWS = {
    "last_hour": pd.Timedelta(hours=1),
    "last_day": pd.Timedelta(days=1),
    "last_week": pd.Timedelta(weeks=1),
}
UNITS = {"last_hour": 60.0, "last_day": 3600.0, "last_week": 3600.0}


def main() -> None:
    way, folder, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    polls, hours, zones = (
        pd.read_csv(folder / f"{name}.csv", dtype=str)
        for name in ("store_status", "menu_hours", "store_timezone")
    )
    polls["at"] = pd.to_datetime(polls["timestamp_utc"].str.removesuffix(" UTC"), format="ISO8601", utc=True)
    now = polls["at"].max()
    counted = in_hours(local(polls, zones), hours)
    columns = [figures(counted, now, name, way) for name in WINDOWS]
    report = pd.concat(columns, axis=1).reindex(polls["store_id"].unique()).fillna(0).round(2)
    names = [f"{state}time_{name}" for state in ("up", "down") for name in WINDOWS]
    report[names].to_csv(output, index_label="store_id")


def local(polls: pd.DataFrame, zones: pd.DataFrame) -> pd.DataFrame:
    """Adds weekday and time of day on the store's clock."""
    polls = polls.merge(zones, on="store_id", how="left").fillna({"timezone_str": "America/Chicago"})
    parts = []
    for zone, part in polls.groupby("timezone_str"):
        clock = part["at"].dt.tz_convert(zone)
        parts.append(part.assign(day=clock.dt.day_of_week.astype(str), time=clock.dt.strftime("%H:%M:%S")))
    return pd.concat(parts)


def in_hours(polls: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    """The polls made within opening hours."""
    always = polls[~polls["store_id"].isin(hours["store_id"])]
    matched = polls.merge(hours, on=["store_id", "day"])
    inside = (matched["start_time_local"] <= matched["time"]) & (matched["time"] <= matched["end_time_local"])
    return pd.concat([always, matched[inside]])


def figures(polls: pd.DataFrame, now: pd.Timestamp, name: str, way: str) -> pd.DataFrame:
    """Up and down in a window."""
    polls = polls[polls["at"] >= now - WINDOWS[name]].sort_values(["store_id", "at"])
    if way == "counting":
        seconds = pd.Series(3600.0, polls.index)
    else:
        following = polls.groupby("store_id")["at"].shift(-1).fillna(now)
        seconds = (following - polls["at"]).dt.total_seconds()
    sums = (seconds / UNITS[name]).groupby([polls["store_id"], polls["status"]]).sum().unstack(fill_value=0.0)
    return sums.rename(columns={"active": f"uptime_{name}", "inactive": f"downtime_{name}"})


if __name__ == "__main__":
    main()
