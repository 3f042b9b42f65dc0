"""What the page of an error says: what happened, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """A sentence for the head, what happened in particular, what to do."""

    head: str
    detail: str
    next: str


_WORDS = {
    400: ("This cannot be understood.", "Go back, reload the page, and try it again."),
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
    413: (
        "This is too large.",
        "Send less at once: files packed with gzip, or in parts; of a long list, some thousand lines.",
    ),
    415: ("This form is not known here.", "Go back, reload the page, and try it again."),
    422: ("Something in this is wrong.", "Go back and mend it; nothing of it was done."),
    429: ("Too much at once.", "Wait a moment, then reload the page."),
    503: ("Not just now.", "Wait a moment, then reload the page. Nothing was lost."),
}
_OURS = ("Something went wrong.", "Try it again. If it stays so, show this to who runs this storewatch.")
_PLAIN = {
    404: "No page of this storewatch has that address.",
    405: "The page is there, but not for this kind of request.",
    413: "It is larger than this page takes.",
}
"""In place of what the library says, which is meant for programmers."""


def of(status: int, detail: str) -> Told:
    """What is said of an error."""
    head, todo = _WORDS.get(status, _OURS)
    spoken_by_library = "URL" in detail or "data value transmitted" in detail
    return Told(head, _PLAIN.get(status, detail) if spoken_by_library else detail, todo)
