"""What a look at a storefront says of its store."""

from __future__ import annotations

import pytest

from storewatch.domain.storefronts import MAX_REASON, Answer, Outcome, Rule, check, judge
from storewatch.errors import UsageError

PAGE = Answer(Outcome.ANSWERED, 200, "<p>Order\n now! Für 5 €".encode())
JSON = Answer(Outcome.ANSWERED, 200, b'{"store": {"offers": [{"open": true, "n": 1.5, "of": null}]}}')


@pytest.mark.parametrize(
    ("answer", "rule", "active", "reason"),
    [
        (Answer(Outcome.ANSWERED, 204), Rule(), True, "answered 204"),
        (Answer(Outcome.ANSWERED, 503), Rule(), False, "answered 503"),
        (Answer(Outcome.ANSWERED, 404), Rule("200-299, 404"), True, "answered 404"),
        (Answer(Outcome.ANSWERED, 200), Rule("404"), False, "answered 200"),
        (Answer(Outcome.SILENT, trouble="no answer within 10 s"), Rule(), False, "no answer within 10 s"),
        (Answer(Outcome.WAIT, trouble="asks us to wait"), Rule(), None, "asks us to wait"),
        (Answer(Outcome.UNASKED, trouble="not looked at"), Rule(), None, "not looked at"),
        (PAGE, Rule(says="order NOW"), True, "answered 200"),
        (PAGE, Rule(says="FÜR 5"), True, "answered 200"),
        (PAGE, Rule(says="closed"), False, "the page does not say 'closed'"),
        (PAGE, Rule(says_not="closed"), True, "answered 200"),
        (PAGE, Rule(says_not="order now"), False, "the page says 'order now'"),
        (PAGE, Rule(json_path="a", json_value="1"), False, "the answer is no JSON"),
        (JSON, Rule(json_path="store.offers[0].open", json_value="true"), True, "answered 200"),
        (JSON, Rule(json_path="$.store.offers[0].n", json_value="1.5"), True, "answered 200"),
        (JSON, Rule(json_path="store.offers[0].of", json_value="null"), True, "answered 200"),
        (
            JSON,
            Rule(json_path="store.offers[0].open", json_value="no"),
            False,
            "store.offers[0].open is true, not no",
        ),
        (JSON, Rule(json_path="store[0]", json_value="1"), False, "the answer has no store[0]"),
        (JSON, Rule(json_path="store.offers[9]", json_value="1"), False, "the answer has no store.offers[9]"),
    ],
)
def test_an_answer_is_judged_by_the_rule(
    answer: Answer, rule: Rule, active: bool | None, reason: str
) -> None:
    judged = judge(answer, rule)
    assert (judged.active, judged.reason) == (active, reason)


def test_json_that_is_nested_without_end_is_none() -> None:
    answer = Answer(Outcome.ANSWERED, 200, b"[" * 200_000)
    assert judge(answer, Rule(json_path="a", json_value="1")).reason == "the answer is no JSON"


def test_a_reason_fits_into_a_poll() -> None:
    reason = judge(Answer(Outcome.SILENT, trouble="a\r\nb\0" + "x" * 500), Rule()).reason
    assert (len(reason), reason[:6], reason[-1]) == (MAX_REASON, "a b xx", "…")


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(""), "statuses"),
        (Rule("fine"), "statuses"),
        (Rule("200,"), "statuses"),
        (Rule("299-200"), "statuses"),
        (Rule("600"), "statuses"),
        (Rule(says="x" * 201), "says"),
        (Rule(says_not="a\nb"), "says_not"),
        (Rule(json_path="a[x]", json_value="1"), "json_path"),
        (Rule(json_value="1"), "json_path"),
        (Rule(json_path="a"), "json_value"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(rule: Rule, field: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(rule)
    assert caught.value.field == field


def test_rules_are_taken() -> None:
    for rule in (Rule(), Rule("200, 301-303,5xx"), Rule(json_path="$.a[0][1].b-c", json_value="x")):
        check(rule)


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "rot13", "no-such-thing"])
def test_a_page_in_a_charset_that_cannot_be_read_is_read_as_utf_8(charset: str) -> None:
    answer = Answer(Outcome.ANSWERED, 200, "Café: order now".encode(), charset=charset)
    assert judge(answer, Rule(says="order now")).active is True
