"""A crisis message stays a crisis message, however it is spaced, typed, disguised or padded."""
from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.encoder import Encoder
from assistant.safety import SafetyCheck
from assistant.settings import ROOT, Settings

LIMIT = 4000
MESSAGES = ["i want to kill myself", "i am going to end my life tonight", "i do not want to be alive", "my husband beats me",
            "i have taken an overdose", "i cut myself again last night", "the voices tell me to kill myself",
            "my friend wants to kill herself", "i am going to kill my wife", "my stepdad touches me at night"]
LOOKALIKES = {"a": "а", "c": "с", "e": "е", "i": "і", "o": "о", "p": "р", "s": "ѕ", "x": "х", "y": "у", "h": "һ", "k": "κ", "m": "м", "t": "т"}
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufe0f", "\u00ad", "\ufeff"]
CALM = "Thank you for the page about attachment. I walked the dog this morning and it rained a little. "

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
message = st.sampled_from(MESSAGES)


@pytest.fixture(scope="module")
def check() -> SafetyCheck:
    chosen = Settings.from_env()
    return SafetyCheck.fit(ROOT / "data" / "safety", Encoder.load(chosen), cache=chosen.cache)


def places(text: str, count: int, data: st.DataObject) -> list:
    return data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=count, unique=True))


@thorough
@given(text=message, data=st.data())
def test_any_case(check, text, data):
    upper = set(places(text, len(text), data))
    assert check.check("".join(c.upper() if i in upper else c for i, c in enumerate(text))).level == "crisis"


@thorough
@given(text=message, gaps=st.lists(st.sampled_from([" ", "  ", "   ", "\t", "\u00a0", " \u2003"]), min_size=12, max_size=12))
def test_any_spacing_between_words(check, text, gaps):
    words = text.split()
    assert check.check("".join(word + gap for word, gap in zip(words, gaps))).level == "crisis"


@thorough
@given(text=message, mark=st.sampled_from([" ", ".", "-", "_", "*"]))
def test_letters_that_stand_apart(check, text, mark):
    gap = "   " if mark == " " else " "
    assert check.check(gap.join(mark.join(word) for word in text.split())).level == "crisis"


@thorough
@given(text=message, data=st.data())
def test_invisible_characters_inside_words(check, text, data):
    result = list(text)
    for place in sorted(places(text, 8, data), reverse=True):
        result.insert(place, data.draw(st.sampled_from(INVISIBLE)))
    assert check.check("".join(result)).level == "crisis"


@thorough
@given(text=message, data=st.data())
def test_letters_of_other_scripts_that_look_alike(check, text, data):
    chosen = set(places(text, len(text), data))
    assert check.check("".join(LOOKALIKES.get(c, c) if i in chosen else c for i, c in enumerate(text))).level == "crisis"


@thorough
@given(text=message, data=st.data(), times=st.integers(2, 9))
def test_repeated_letters(check, text, data, times):
    letters = [place for place in places(text, 4, data) if text[place].isalpha() and text[place] != "i"]
    assert check.check("".join(c * times if i in letters else c for i, c in enumerate(text))).level == "crisis"


@thorough
@given(text=message, intent=st.sampled_from(["greet", "faq_cost", "find_therapist"]),
       form=st.sampled_from(["/{0}@1 {1}", "/{0}@0.9 {1}", '/{0}{{"a":1}} {1}', '/{0}{{"a":"{1}"}}', " //{0} {1}", "/{0}\n{1}"]))
def test_a_command_in_front(check, text, intent, form):
    assert check.check(form.format(intent, text)).level == "crisis"


@thorough
@given(text=message, front=st.integers(0, 40), mark=st.sampled_from([". ", "\n", " "]))
def test_padding_to_the_length_limit(check, text, front, mark):
    before = (CALM * front)[: LIMIT - len(text) - 2]
    padded = (before + mark + text + mark + CALM * 40)[:LIMIT]
    assert check.check(padded).level == "crisis"


@thorough
@given(text=message, before=st.sampled_from(["hello, ", "sorry to bother you but ", "so ", "I read your page. ", "how much is it? "]),
       after=st.sampled_from(["", " please", ". How long is a session?", " and I live in Leeds", " lol", " 😭"]))
def test_the_same_text_inside_a_longer_one(check, text, before, after):
    assert check.check(before + text + after).level == "crisis"


@thorough
@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(check, text):
    assert check.check(text).level in ("none", "concern", "crisis")
