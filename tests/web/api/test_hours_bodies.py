"""Any body for a week: it is the week that a file of the same rows gives, or it is refused; nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.permissions import Role
from tests.factories import load
from tests.strategies import ENDS, TIMES
from tests.web.conftest import said
from tests.web.service import Service, Token

BY_HAND, BY_FILE = "/api/v1/hours/by-hand", "/api/v1/hours/by-file"

OPENINGS = st.fixed_dictionaries(
    {
        "day": st.integers(0, 6),
        "opens": st.sampled_from((*TIMES, "24:00")),
        "closes": st.sampled_from((*ENDS, "24:01")),
    }
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TIMES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("hours", "day", "opens", "closes")) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def operator(service: Service) -> Token:
    service.group("mine", "by-hand", "by-file")
    return service.token("olga@example.com", Role.OPERATOR)


@SETTINGS
@given(week=st.lists(OPENINGS, min_size=1, max_size=6))
def test_a_week_by_hand_is_what_a_file_of_it_gives(
    service: Service, operator: Token, week: list[dict[str, Any]]
) -> None:
    rows = [f"by-file,{each['day']},{each['opens']},{each['closes']},always" for each in week]
    [imported] = load(
        service.database, "\n".join(["store_id,day,start_time_local,end_time_local,valid_from", *rows]) + "\n"
    )
    answer = operator.put(BY_HAND, json={"hours": week, "valid_from": "always"})
    if imported.rows_rejected:
        assert answer.status_code == 422
    else:
        by_file = said(operator.get(BY_FILE))
        assert said(answer) == by_file | {"store_id": "by-hand", "past_days_changed": 0}


@SETTINGS
@given(body=ANYTHING)
def test_any_other_body_is_refused_and_changes_nothing(operator: Token, body: Any) -> None:
    before = operator.get(BY_HAND).json
    answer = operator.put(BY_HAND, json={"hours": body})
    assert answer.status_code in (200, 400, 422)
    if answer.status_code != 200:
        assert operator.get(BY_HAND).json == before
