"""Working one item ahead."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from storewatch.ahead import ahead


def test_it_is_map() -> None:
    assert list(ahead(str, range(5))) == ["0", "1", "2", "3", "4"]
    assert list(ahead(str, [])) == []


def test_the_next_is_worked_on_while_the_caller_has_this_one() -> None:
    begun = [threading.Event() for _ in range(3)]

    def work(item: int) -> int:
        begun[item].set()
        return item

    for number in ahead(work, range(3)):
        assert number == 2 or begun[number + 1].wait(10)


def test_items_are_made_in_the_callers_thread() -> None:
    def items() -> Iterator[threading.Thread]:
        yield threading.current_thread()

    assert list(ahead(lambda made: made, items())) == [threading.current_thread()]


def test_trouble_reaches_the_caller_in_its_place() -> None:
    found = ahead(lambda item: 1 // item, [1, 0, 1])
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_a_process_that_ends_ends_what_it_began() -> None:
    code = """
import threading, time
from storewatch.ahead import ahead
main = threading.main_thread()
threading.Thread(target=lambda: (main.join(), time.sleep(0.2), print(list(ahead(str, [1, 2]))))).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['1', '2']\n", "")
