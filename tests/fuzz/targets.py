"""All targets by name."""

from __future__ import annotations

from tests.fuzz import api_target, csv_targets, other_targets, time_targets
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*csv_targets.TARGETS, *time_targets.TARGETS, *other_targets.TARGETS, *api_target.TARGETS)
}
