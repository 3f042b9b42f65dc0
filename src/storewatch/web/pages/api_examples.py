"""Bodies that work as they are shown: on an empty storewatch too, in this order of operations."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "createStore": {"store_id": "corner-cafe", "name": "Corner Café", "platform": "ubereats"},
    "updateStore": {"location": "12 Maple St, Chicago", "revenue_per_week": 12500},
    "bulkUpsertStores": {
        "stores": [
            {"store_id": "corner-cafe", "name": "Corner Café", "groups": ["Chicago"]},
            {"store_id": "harbour-grill", "platform": None},
        ]
    },
    "setStorefront": {"url": "https://example.com/corner-cafe", "every_s": 300, "says": "Order now"},
    "tryStorefront": {"url": "https://example.com/corner-cafe", "says": "Order now"},
    "setZone": {"zone": "America/Chicago"},
    "setHours": {
        "hours": [
            {"day": 0, "opens": "09:00", "closes": "12:00"},
            {"day": 4, "opens": "22:00", "closes": "02:00"},
            {"day": 5, "opens": "00:00", "closes": "24:00"},
        ]
    },
    "appendPolls": {
        "polls": [
            {"store_id": "corner-cafe", "status": "active", "timestamp_utc": "2023-01-23T16:14:00Z"},
            {
                "store_id": "corner-cafe",
                "status": "inactive",
                "timestamp_utc": "2023-01-23T17:15:00Z",
                "reason": "printer",
            },
        ]
    },
    "createOutageNote": {
        "store_id": "corner-cafe",
        "at": "2023-01-23T17:15:00Z",
        "note": "The printer was out of paper.",
    },
    "createShare": {
        "store_id": "corner-cafe",
        "label": "the landlord",
        "first_day": "2023-01-16",
        "last_day": "2023-01-22",
        "days": 30,
    },
    "changePoll": {"status": "active", "reason": None},
    "putPoll": {"status": "inactive", "reason": "printer"},
    "setRevenue": {"weekly": 12500},
    "createServiceLevel": {"name": "99 % a month", "store_id": "corner-cafe", "target": 99},
    "updateServiceLevel": {"target": 99.5, "unknown_as": "down"},
    "createException": {
        "effect": "closed",
        "store_id": "corner-cafe",
        "start": "2026-12-25",
        "end": "2026-12-26",
        "rrule": "FREQ=YEARLY",
        "note": "Christmas",
    },
    "createReport": {
        "store_ids": ["corner-cafe"],
        "as_of": "2023-01-23T18:00:00Z",
        "windows": [{"name": "last_month", "length_seconds": 2592000}],
    },
    "pinReport": {"pinned": True},
    "createSchedule": {"name": "Monday", "every": "week", "on_day": 0, "at": "08:00", "format": "csv"},
    "updateSchedule": {"only_if_missed": True},
    "setMySchedule": {"on": False},
    "createGroup": {"name": "Maple St"},
    "renameGroup": {"name": "Maple St Holdings"},
    "addStoresToGroup": {"store_ids": ["corner-cafe"]},
    "removeStoresFromGroup": {"store_ids": ["corner-cafe"]},
    "setAlerts": {
        "still_down_after": [120],
        "mass_percent": 30,
        "mass_within": 15,
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "quiet_zone": "America/Chicago",
    },
    "setMyAlerts": {"on": True},
    "createChannel": {"name": "ops room", "kind": "webhook", "url": "https://example.com/alerts"},
    "switchChannel": {"enabled": False},
    "snoozeIncident": {"minutes": 240},
    "createInvitation": {"email": "olga@maple.example", "role": "operator"},
    "putMember": {"role": "viewer"},
    "updateUser": {"active": True},
    "createToken": {"name": "poller in the Maple St office", "scope": "import"},
}
"""By operation id."""
