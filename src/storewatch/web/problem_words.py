"""What the page of an error says: what happened, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

FORGED = "The page was open for too long, or the request came from elsewhere: reload it."
OTHER_HOST = "This address is not served here: use that of STOREWATCH_URL, or http://127.0.0.1."
OTHER_SITE = "A page of another site may not send requests here."
OTHER_SCHEMA = "storewatch and its database are of different versions."


@dataclass(frozen=True)
class Told:
    """A sentence for the head, what happened in particular, what to do."""

    head: str
    detail: str
    next: str


_WORDS = {
    400: ("This cannot be understood.", "Go back, mend it, and send it again. Nothing of it was done."),
    401: ("You are not logged in.", "Log in, then come back to this page."),
    403: ("This is not yours to do.", "Ask an administrator of this storewatch if it should be."),
    404: (
        "There is nothing here.",
        "Look whether the address is right. What was removed is gone, and what belongs to a group of which "
        "you are not is not shown to you: ask who invited you.",
    ),
    405: (
        "This address does not do that.",
        "It takes what the form of a page sends, or shows a page, but not both: go there by a link.",
    ),
    409: (
        "This cannot be done as things are now.",
        "Go back, reload the page to see how they are, try again.",
    ),
    410: (
        "This link works no more.",
        "If you used it already, log in. Else ask for another one: for an invitation who invited you, for a "
        "new password the page below. For the first administrator storewatch serve prints one as it starts.",
    ),
    413: (
        "This is too large.",
        "Send less at once: files packed with gzip, or in parts; of a long list, some thousand lines.",
    ),
    415: ("This form is not known here.", "Go back, reload the page, and try it again."),
    422: ("Something in this is wrong.", "Go back and mend it; nothing of it was done."),
    429: ("Too much at once.", "Wait a moment, then reload the page."),
    503: ("Not just now.", "Wait a moment, then reload the page. Nothing was lost."),
    507: ("There is no room left.", "Tell who runs this storewatch. What was stored before is safe."),
}
_OURS = (
    "Something went wrong.",
    "Try it again. If it stays so, show this page to who runs this storewatch: by the number below the log "
    "tells more.",
)
_BY_DETAIL = {
    FORGED: (
        "This form is too old.",
        "Nothing was done. Go back, copy what you typed, reload the page, and send it again.",
    ),
    OTHER_HOST: (
        "You came by another address.",
        "Open storewatch by the address that it was given to you with. Who runs it sets that address.",
    ),
    OTHER_SITE: (
        "Another site sent you.",
        "Nothing was done. Open the page here yourself, and do it there. If you were here, your browser "
        "calls this storewatch by an address that it does not know: tell who runs it.",
    ),
    OTHER_SCHEMA: (
        "Not just now.",
        "Tell who runs this storewatch: they back up the database, run storewatch db upgrade with the newest "
        "storewatch, and start it again. Nothing was lost.",
    ),
}
_BAD_ADDRESS = ("This address cannot be read.", "Mend the part of it that is wrong, or begin at the start.")
_PLAIN = {
    400: "It is not as a browser sends it.",
    404: "No page of this storewatch has that address.",
    405: "The page is there, but not for this kind of request.",
    413: "It is larger than this page takes.",
    415: "It was sent in a form that this page does not take.",
    429: "More requests came from you than are taken in a second, or in an hour.",
}
"""In place of what the library says, which is meant for programmers."""


def of(status: int, detail: str, *, reads: bool = False, by_library: bool = False) -> Told:
    """What is said of an error; `reads`: a page was asked for, nothing sent; `by_library`: the detail is not
    in our words.
    """
    head, todo = _WORDS.get(status, _OURS)
    if reads and status == 400:
        head, todo = _BAD_ADDRESS
    head, todo = _BY_DETAIL.get(detail, (head, todo))
    return Told(head, _PLAIN.get(status, "") if by_library else detail, todo)
