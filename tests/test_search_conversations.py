"""The therapist search as visitors have it: whole conversations through gateway, Rasa and action server, from one table.

What is expected is what the visitor sees. The wordings stand in data/dialogue/search.yml, which staff may change.
"""
from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from conversing import Person

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Step:
    """What the visitor does, and what is seen then.

    does: words, or the label of a button; asks: the question that the reply ends with, none unless given; sees: responses by
    their names (utter_…) or words; offers: labels; shows: `cards` (with the link), `link` alone, `helplines`, or nothing.
    """

    does: str
    asks: str = ""
    sees: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    shows: str = ""


def results(does: str, *sees: str, offers: tuple[str, ...] = (), hides: tuple[str, ...] = ()) -> Step:
    """The visitor says the last thing that was missing, and sees therapists."""
    return Step(does, sees=sees, shows="cards", offers=offers, hides=hides)


STARTS = Step("find me a therapist", asks="format", offers=("Online", "In person", "Either is fine"))
IN_PERSON = Step("in person", asks="place", offers=("Look online", "Anywhere"))
LEEDS = Step("Leeds", asks="concern", sees=("Leeds, noted.",), offers=("Anxiety", "Skip this"))
NEAR_LEEDS = "therapists near Leeds who see people in person and work with anxiety"
NEWPORTS = ("Wales", "Isle of Wight", "Near Telford")
WHICH_NEWPORT = Step("find me a therapist in Newport", sees=("utter_search_place_ambiguous",), offers=NEWPORTS)
ISLE = Step("", asks="format", sees=("Newport, Isle of Wight, noted.",))
CRISIS = Step("I want to kill myself", sees=("999",), offers=("Carry on with search",), shows="helplines")

TABLE: dict[str, list[Step]] = {
    "everything in one sentence, online": [
        results("online, for anxiety, I'm in Leeds", "online therapists who work with anxiety", offers=("Change format", "Change concern")),
    ],
    "everything in one sentence, in person": [
        results("I'm looking for someone face to face in Leeds for anxiety", NEAR_LEEDS, offers=("Change place",)),
    ],
    "everything in several lines": [
        results("find me a therapist\nin Leeds\nin person\nfor anxiety", NEAR_LEEDS, hides=("utter_faq_conditions_helped",)),
    ],
    "a child": [results("therapist for my 8 year old son in London, in person, anxiety", "therapists for children and young people near London")],
    "a list without a verb": [results("York, face to face, low mood", "near York who see people in person and work with depression")],
    "one thing at a time": [STARTS, IN_PERSON, LEEDS, results("anxiety", NEAR_LEEDS)],
    "with the buttons": [
        STARTS, Step("In person", asks="place"), Step("Anywhere", asks="concern"),
        results("Anxiety", "who see people in person and work with anxiety, anywhere in the UK", offers=("Show more",)),
        results("Show more", "utter_search_more"),
    ],
    "online needs no place": [STARTS, Step("on zoom", asks="concern"), results("grief", "online therapists who work with grief")],
    "the place first": [
        Step("find me a therapist in Hebden Bridge", asks="format", sees=("Hebden Bridge, noted.",)), Step("in person", asks="concern"),
        results("low mood", "near Hebden Bridge", "work with depression"),
    ],
    "the concern first": [
        Step("can you find me someone for panic attacks", asks="format", sees=("Anxiety, noted.",)), IN_PERSON,
        results("Leeds", NEAR_LEEDS),
    ],
    "a misspelt place": [STARTS, IN_PERSON, Step("birmingam", asks="concern", sees=("Birmingham, noted.",))],
    "a place whose letters look like risk": [STARTS, IN_PERSON, Step("Woking", asks="concern", sees=("Woking, noted.",))],
    "each changed afterwards": [
        results("in person in Leeds for anxiety", NEAR_LEEDS),
        results("actually in York", "near York who see people in person and work with anxiety"),
        results("make it online", "online therapists who work with anxiety"),
        results("make it face to face", "near York who see people in person and work with anxiety"),
        results("for trauma instead", "near York who see people in person and work with trauma"),
    ],
    "each changed with its button": [
        results("in person in Leeds for anxiety", NEAR_LEEDS),
        Step("Change place", asks="place"), results("York", "near York"),
        Step("Change concern", asks="concern"), results("grief", "near York who see people in person and work with grief"),
        Step("Change format", asks="format"), results("online", "online therapists who work with grief"),
    ],
    "changed before all is asked": [
        Step("find me a therapist in Leeds", asks="format", sees=("Leeds, noted.",)),
        Step("actually in York", asks="format", sees=("York, noted.",)), Step("online", asks="concern"),
        Step("no, face to face", asks="concern", sees=("In person, noted.",)), results("anxiety", "near York who see people in person"),
    ],
    "each skipped": [
        STARTS, Step("don't mind", asks="place"), Step("anywhere", asks="concern"), results("skip", "therapists, anywhere in the UK"),
    ],
    "the last one declined": [STARTS, Step("online", asks="concern"), results("no thanks", "online therapists, anywhere in the UK")],
    "questions in the middle": [
        STARTS,
        Step("how much does it cost?", asks="format", sees=("utter_faq_cost",), hides=("utter_search_again",)),
        IN_PERSON, Step("is it confidential?", asks="place", sees=("utter_faq_confidentiality",)),
        LEEDS, Step("what happens in a session?", asks="concern", sees=("utter_faq_session_content",), hides=("noted",)),
        results("anxiety", NEAR_LEEDS),
    ],
    "a question about what was asked": [STARTS, Step("is online as good?", asks="format", sees=("utter_faq_online_sessions",))],
    "a question and a search in one": [
        Step("find me a therapist in Leeds and how much does it cost", asks="format", sees=("utter_faq_cost",)),
    ],
    "urgent help in the middle, then on": [
        STARTS, Step("get urgent help", shows="helplines", offers=("Carry on with search",)),
        Step("carry on with search", asks="format", hides=("utter_search_again",)),
    ],
    "nobody else": [
        results("in person in Leeds for anxiety", NEAR_LEEDS),
        Step("find me someone else", sees=("utter_search_no_more",), offers=("Look further away",), shows="link"),
        results("Look further away", "Within 25 miles"),
    ],
    "stopped": [STARTS, Step("stop", sees=("utter_search_stopped",), offers=("Search again",)), Step("hello", sees=("utter_greet",))],
    "stopped in other words": [STARTS, IN_PERSON, Step("never mind", sees=("utter_search_stopped",)), Step("Search again", asks="place")],
    "a place that is none": [
        STARTS, IN_PERSON, Step("Xyzzyville", sees=("utter_search_place_unknown",), offers=("Look online",)), LEEDS,
        results("anxiety", NEAR_LEEDS),
    ],
    "twice a place that is none": [
        STARTS, IN_PERSON, Step("Xyzzyville", sees=("utter_search_place_unknown",)),
        Step("Qwertyton", sees=("utter_search_gave_up",), shows="link"),
    ],
    "twice not understood": [
        STARTS, Step("purple", asks="format", sees=("utter_search_again",)), Step("banana", sees=("utter_search_gave_up",), shows="link"),
    ],
    "namesakes by number": [WHICH_NEWPORT, Step("2", ISLE.asks, ISLE.sees)],
    "namesakes by position": [WHICH_NEWPORT, Step("the second one", ISLE.asks, ISLE.sees)],
    "namesakes by their words": [WHICH_NEWPORT, Step("the isle of wight one", ISLE.asks, ISLE.sees)],
    "namesakes by button": [WHICH_NEWPORT, Step("Isle of Wight", ISLE.asks, ISLE.sees)],
    "namesakes, and then another town": [WHICH_NEWPORT, Step("actually Leeds", asks="format", sees=("Leeds, noted.",))],
    "namesakes when all else is known": [
        Step("in person in Richmond for anxiety", sees=("utter_search_place_ambiguous",), offers=("London", "North Yorkshire")),
        results("the london one", "near Richmond, London"),
    ],
    "outside the UK, then online": [
        Step("find me a therapist in Paris", sees=("Paris is outside the UK",), offers=("Look online",)),
        Step("Look online", asks="concern"), results("anxiety", "online therapists who work with anxiety"),
    ],
    "outside the UK, then a town": [
        Step("find me someone in Dublin, face to face", sees=("Dublin is outside the UK",)), LEEDS, results("anxiety", NEAR_LEEDS),
    ],
    "near me": [
        Step("find a therapist near me", sees=("utter_search_place_near_me",)), Step("York", asks="format", sees=("York, noted.",)),
    ],
    "nobody near, wider": [
        results("therapist in Truro for ptsd, in person", "nobody within 10 miles", "Within 50 miles", offers=("Look online",)),
        results("Look online", "online therapists who work with PTSD"),
    ],
    "nobody at all, online": [
        results("find someone in Lerwick, face to face, for intimacy", "found nobody within 50 miles", "work online"),
    ],
    "further away on request": [
        results("in person in Leeds for anxiety", "Within 10 miles", offers=("Look further away",)),
        results("further away", "Within 25 miles"), results("Look further away", "Within 50 miles"),
    ],
    "wishes that no filter serves": [
        Step("a woman in Leeds, evenings, under £50", asks="format", sees=("Leeds, noted.",)), Step("in person", asks="concern"),
        results("anxiety", NEAR_LEEDS, "utter_search_wishes"),
    ],
    "a crisis in the middle, then on by button": [
        STARTS, IN_PERSON, CRISIS, Step("Carry on with search", asks="place"), LEEDS, results("anxiety", NEAR_LEEDS),
    ],
    "a crisis in the middle, then on in words": [
        Step("find me a therapist in York", asks="format", sees=("York, noted.",)), CRISIS,
        Step("carry on with the search", asks="format"), Step("online", asks="concern"),
    ],
    "a crisis in the middle, more support, then on": [
        STARTS, CRISIS, Step("More support", shows="helplines", offers=("Carry on with search",)), Step("Carry on with search", asks="format"),
    ],
}


@pytest.mark.parametrize("name", TABLE)
def test_a_conversation(name, stack):
    person = Person(stack.base)
    for number, step in enumerate(TABLE[name]):
        reply = person.does(step.does)
        where = f"step {number}, {step.does!r}: {reply.text!r} {reply.labels}"
        assert reply.asked == ([step.asks] if step.asks else []), where
        assert all(reply.says(what) for what in step.sees), where
        assert not any(reply.says(what) for what in step.hides), where
        assert set(step.offers) <= set(reply.labels), where
        assert len(set(reply.labels)) == len(reply.labels) and "/find" not in reply.text, where
        assert ("cards" in reply.kinds, "helplines" in reply.kinds) == (step.shows == "cards", step.shows == "helplines"), where
        if step.shows in ("cards", "link"):
            assert "links" in reply.kinds, where


@pytest.mark.parametrize("name", ["one thing at a time", "online needs no place", "the place first", "each skipped"])
def test_at_most_three_questions_each_at_most_once(name):
    asked = [step.asks for step in TABLE[name] if step.asks]
    assert len(asked) == len(set(asked)) <= 3


def test_a_card_holds_what_the_visitor_needs(stack):
    reply = Person(stack.base).does("in person in Leeds for anxiety")
    cards = [card for message in reply.messages for card in message.get("cards", [])]
    assert 1 <= len(cards) <= 3
    for card in cards:
        assert card["register"] and card["town"] and card["distance"] and card["fee"] and card["formats"] and card["accepting"]
        assert card["url"].startswith(f"{stack.base}/r/")


@pytest.mark.parametrize("written", ["LS6 2ZX", "ls62zx", "Ls6  2Zx", "LS 6 2ZX", "ls6-2zx", "L S 6  2 Z X", "LS6 2 ZX", "I'm at LS6 2ZX, ok"])
def test_of_a_postcode_the_outward_part_is_enough(written, stack):
    person = Person(stack.base)
    for step in (STARTS.does, IN_PERSON.does):
        person.does(step)
    reply = person.does(written)
    assert reply.says("LS6, noted.") and reply.asked == ["concern"]
    reply = person.does("anxiety")
    assert reply.says("near LS6") and "cards" in reply.kinds and not INWARD.search(json.dumps(reply.messages).encode())


# The inward part behind its district, in any spacing; its letters are none of a hexadecimal number's.
INWARD = re.compile(rb"6[\W_]{0,4}2[\W_]{0,2}z[\W_]{0,2}x", re.IGNORECASE)


def test_no_full_postcode_is_stored_or_logged(stack):
    person = Person(stack.base)
    for text in ("find me a therapist near LS6 2ZX", "in person", "my postcode is l s 6 2 z x", "anxiety", "do you keep LS62ZX?"):
        person.does(text)
    time.sleep(0.5)  # what is written behind the reply
    kept = {path: path.read_bytes() for path in [*Path(stack.env["ASSISTANT_VAR"]).rglob("*"), stack.log] if path.is_file()}
    assert [str(path) for path, content in kept.items() if INWARD.search(content)] == []
    holding = {path.name.partition(".")[0] for path, content in kept.items() if b"LS6" in content}
    assert {"journal", "tracker"} <= holding  # where it would have been found
    assert b"LS6" not in kept[stack.log]
