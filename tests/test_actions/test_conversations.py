"""The search as visitors have it, from their words to the cards: real Rasa, real action server, sample directory."""
import json

import pytest

PLACE = "Where should I look?"
FORMAT = "online or in person?"
CONCERN = "most like help with?"


def test_everything_in_one_sentence_shows_therapists_and_the_link(visitor):
    reply = visitor.says("online, for anxiety, I'm in Leeds")
    assert "I searched for online therapists who work with anxiety" in reply
    assert 1 <= len(visitor.cards) <= 3
    assert all("online" in card["formats"] and card["register"] and card["url"].startswith("https://") for card in visitor.cards)
    assert visitor.custom("links")["links"][0]["url"].startswith("https://")
    assert {"Change format", "Change concern"} <= set(visitor.buttons)


def test_samples_are_marked_as_samples(visitor):
    assert "invented sample entries" in visitor.says("online, for grief, in York")
    assert visitor.custom("cards")["sample"] is True


def test_one_thing_at_a_time(visitor):
    assert FORMAT in visitor.says("find me a therapist")
    assert PLACE in visitor.says("face to face")
    assert CONCERN in visitor.says("Leeds")
    assert "near Leeds who see people in person and work with depression" in visitor.says("low mood")
    assert visitor.cards[0]["town"] == "Leeds" and visitor.cards[0]["distance"]


def test_buttons_answer_each_question(visitor):
    visitor.says("/find_therapist")
    assert PLACE in visitor.presses("In person")
    assert CONCERN in visitor.presses("Anywhere")
    assert "I searched for therapists who see people in person" in visitor.presses("Skip this")
    first = [card["name"] for card in visitor.cards]
    visitor.presses("Show more")
    assert visitor.cards and not {card["name"] for card in visitor.cards} & set(first)


def test_each_part_can_be_changed(visitor):
    visitor.says("in person in Leeds for anxiety")
    assert "near York" in visitor.says("actually York")
    assert "online therapists" in visitor.says("can you make it online instead")
    assert "work with grief" in visitor.says("and for grief?")
    assert FORMAT in visitor.presses("Change format")
    assert "near York" in visitor.says("in person")
    assert PLACE in visitor.presses("Change place")
    assert "near Bristol" in visitor.says("bristol")
    assert CONCERN in visitor.presses("Change concern")
    assert "work with" not in visitor.says("skip")


def test_a_question_in_the_middle_is_answered_and_the_search_goes_on(visitor):
    visitor.says("find me a therapist, in person")
    reply = visitor.says("how much does a session cost?")
    assert "fee" in reply and PLACE in reply
    assert CONCERN in visitor.says("Leeds")
    assert CONCERN in visitor.says("is what I say confidential?")
    assert "near Leeds" in visitor.says("anxiety")


def test_feelings_in_the_middle_are_heard_and_the_search_goes_on(visitor):
    visitor.says("find me a therapist, in person")
    reply = visitor.says("I moved to Leeds last year and I feel so lonely here, nobody talks to me")
    assert PLACE in reply and visitor.slot("location") is None


def test_stop_leaves_the_search(visitor):
    visitor.says("find me a therapist")
    assert "stopped the search" in visitor.says("stop")
    assert visitor.tracker.active_loop_name is None
    assert PLACE not in visitor.says("what is attachment theory?")


def test_goodbye_leaves_the_search(visitor):
    visitor.says("find me a therapist")
    assert FORMAT not in visitor.says("goodbye")
    assert visitor.tracker.active_loop_name is None


def test_a_place_that_is_not_known_is_asked_once_more_then_the_link_comes(visitor):
    visitor.says("find me a therapist, in person")
    assert "I do not know a place of that name" in visitor.says("qwertyuiop")
    assert "could not follow that" in visitor.says("asdfgh")
    assert visitor.custom("links") and visitor.tracker.active_loop_name is None


def test_an_ambiguous_place_becomes_buttons(visitor):
    assert "more than one place" in visitor.says("a therapist in Newport please")
    assert {"Wales", "Isle of Wight"} <= set(visitor.buttons)
    assert FORMAT in visitor.presses("Isle of Wight")
    assert visitor.slot("location") == "Newport, Isle of Wight"


@pytest.mark.parametrize("text, says", [
    ("find a therapist near me", "I cannot see where you are"), ("find me a therapist in Paris", "outside the UK"),
    ("find me a therapist in Scotland", "a large area"),
])
def test_places_that_will_not_do_are_explained_and_online_offered(text, says, visitor):
    assert says in visitor.says(text)
    assert CONCERN in visitor.presses("Look online")


def test_nobody_near_looks_wider_and_then_online(visitor):
    assert "so I looked further. Within 50 miles" in visitor.says("therapist in Truro for ptsd, in person")
    assert "found nobody within 50 miles" in visitor.says("find someone in Lerwick, face to face, for intimacy")
    assert visitor.cards and all("online" in card["formats"] for card in visitor.cards)


def test_wishes_without_a_filter_are_named(visitor):
    reply = visitor.says("a woman in Leeds, in person, for anxiety, evenings, under £50")
    assert "no filter for" in reply
    for wish in ("a therapist's gender", "days and times", "price"):
        assert wish in reply


def test_couples_are_filtered_for(visitor):
    assert "for couples" in visitor.says("couples counselling in London, in person, relationship trouble")
    assert visitor.cards


def test_a_full_postcode_stays_nowhere_but_in_the_message(visitor, action_server):
    visitor.says("find me a therapist")
    visitor.says("in person")
    reply = visitor.says("LS6 2AB")
    visitor.says("skip")
    assert visitor.slot("location") == "LS6"
    events = [event.as_dict() for event in visitor.tracker.events if event.type_name not in ("user",)]
    assert "2AB" not in json.dumps(events).upper().replace(" ", "") and "2AB" not in reply
    action_server.log.flush()
    with open(action_server.log.name) as log:
        assert "2ab" not in log.read().lower()


def test_two_questions_with_a_complete_search_get_both_answers(visitor):
    reply = visitor.says("how much does it cost and can you find me an online therapist for grief?")
    assert "fee" in reply and "online therapists who work with grief" in reply and visitor.cards


@pytest.mark.parametrize("text", ["I moved to Leeds last year and feel lonely", "does it work over zoom?", "is it good for panic attacks?"])
def test_a_mention_in_passing_starts_no_search(text, visitor):
    visitor.says(text)
    assert visitor.tracker.active_loop_name is None and not visitor.cards and visitor.slot("location") is None


def test_a_crisis_in_the_middle_is_no_place_and_the_search_can_be_carried_on(visitor):
    visitor.says("find me a therapist, in person, for anxiety")
    visitor.says("/crisis")
    assert visitor.tracker.active_loop_name is None and visitor.slot("location") is None
    assert PLACE in visitor.says("/find_therapist")
    assert "near Leeds who see people in person and work with anxiety" in visitor.says("Leeds")


def test_no_question_asks_who_the_visitor_is(visitor):
    asked = [visitor.says(text) for text in ("find me a therapist", "in person", "Leeds")]
    for word in ("name", "e-mail", "phone", "diagnos"):
        assert not any(f"your {word}" in question.lower() for question in asked)
