"""How often a visitor may write, and how long that is remembered."""
from gateway import limits
from gateway.limits import Window


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_visitor_waits_until_the_first_item_leaves_the_window():
    clock = Clock()
    window = Window(2, 60, clock)
    assert window.wait("ada", "one") is None
    clock.now = 10
    assert window.wait("ada", "two") is None
    assert window.wait("ada", "two") is None  # a copy is free
    clock.now = 20
    assert window.wait("ada", "three") == 40
    assert window.wait("bob", "three") is None
    clock.now = 60
    assert window.wait("ada", "three") is None


def test_a_visitor_whose_window_has_passed_is_forgotten():
    clock = Clock()
    window = Window(5, 60, clock)
    for number in range(100):
        clock.now = number
        window.wait(f"visitor {number}", "one")
    assert len(window) == 60
    clock.now = 1000
    window.wait("ada", "one")
    assert len(window) == 1


def test_of_too_many_visitors_the_longest_silent_are_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    window = Window(1, 60, Clock())
    for visitor in ("ada", "bob", "cyd", "dee"):
        assert window.wait(visitor, "one") is None
    assert len(window) == 3
    assert window.wait("dee", "two") == 60
    assert window.wait("ada", "two") is None
