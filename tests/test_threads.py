"""Functions over samples in threads: the same results in order, few under way, and errors as they are."""

from __future__ import annotations

import threading

import pytest

from inlay import InlayError
from inlay.parallel import map_samples


def test_results_come_in_order_and_few_items_are_taken_ahead():
    taken = []

    class Items(list):
        def __iter__(self):
            for item in super().__iter__():
                taken.append(item)
                yield item

    seen = set()

    def square(number):
        seen.add(threading.get_ident())
        return number**2

    results = map_samples(square, Items(range(50)), on="threads", workers=3)
    assert next(results) == 0
    assert len(taken) <= 7
    assert list(results) == [number**2 for number in range(1, 50)]
    assert threading.get_ident() not in seen


def test_the_error_of_an_item_is_raised_where_its_result_is_due():
    def refuse(number):
        if number == 3:
            raise InlayError(f"not {number}")
        return number

    results = map_samples(refuse, range(10), on="threads", workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InlayError, match="not 3"):
        next(results)


def test_one_worker_needs_no_thread():
    here = threading.get_ident()
    found = list(map_samples(lambda _: threading.get_ident(), range(3), on="threads", workers=1))
    assert found == [here] * 3
