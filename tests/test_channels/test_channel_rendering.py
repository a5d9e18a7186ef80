"""A reply of the API as parts that a service takes: within its limits, nothing lost, no payload shown."""
import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.content import load_topics
from assistant.settings import ROOT
from gateway.channels import limits, whatsapp
from gateway.channels.rendering import BY_NUMBER, render, split
from gateway.state import Tokens

SERVICES = {"whatsapp": limits.WHATSAPP, "messenger": limits.MESSENGER, "slack": limits.SLACK, "telegram": limits.TELEGRAM,
            "twilio": limits.TWILIO}
LEAD = "Thank you for your message. Here is some information that may help you."


# The specification's table, row by row: what the services take.
DOCUMENTED = {
    "whatsapp": {"text": 4096, "buttons": 3, "button_label": 20, "button_text": 1024, "rows": 10, "row_label": 24, "row_detail": 72,
                 "row_text": 4096},
    "messenger": {"text": 2000, "buttons": 13, "button_label": 20, "button_text": 2000},
    "slack": {"text": 3000, "buttons": 25, "button_label": 75, "button_text": 3000},
    "telegram": {"text": 4096, "button_text": 4096},
    "twilio": {"text": 1600, "buttons": 0, "rows": 0},
}
TOKEN_BYTES = {"whatsapp": 200, "messenger": 1000, "slack": 2000, "telegram": 64}


@pytest.mark.parametrize("name", SERVICES)
def test_the_limits_are_those_that_the_service_documents(name):
    given = dataclasses.asdict(SERVICES[name])
    assert {limit: given[limit] for limit in DOCUMENTED[name]} == DOCUMENTED[name]
    token = Tokens(b"key").make("conversation", "/find_therapist" + "x" * 500)
    assert len(token.encode()) <= TOKEN_BYTES.get(name, 64) and len(whatsapp.LIST_BUTTON) <= 20


def choices(*labels, text="What would you like?", first=0):
    return {"type": "choices", "text": text,
            "choices": [{"label": label, "choice": f"token-{number:016d}"} for number, label in enumerate(labels, first)]}


def test_few_short_choices_become_buttons():
    for name in ("whatsapp", "messenger", "slack", "telegram"):
        (part,) = render([choices("Online", "In person")], SERVICES[name])
        assert part.style == "buttons" and [option.label for option in part.options] == ["Online", "In person"]


def test_more_choices_become_a_list_where_there_is_one():
    (part,) = render([choices("Online", "In person", "Either", "None")], limits.WHATSAPP)
    assert part.style == "list" and len(part.options) == 4


def test_labels_that_do_not_fit_on_buttons_are_not_cut_there():
    label = "How long does one session last?"
    (part,) = render([choices(label, "Cost")], limits.WHATSAPP)
    assert part.style == "list" and part.options[0].detail == label and part.options[0].label == "How long does one sessi…"
    (part,) = render([choices(label, "Cost")], limits.MESSENGER)
    assert part.style == "plain" and f"1. {label}\n2. Cost" in part.text and part.text.endswith(BY_NUMBER)


def test_labels_that_begin_alike_are_told_apart_in_a_list():
    labels = [f"How long does one session last, and {number}?" for number in range(10)]
    (part,) = render([choices(*labels)], limits.WHATSAPP)
    assert len({option.label for option in part.options}) == 10 and [option.detail for option in part.options] == labels


def test_too_many_choices_become_numbered_text():
    labels = [f"Option {number}" for number in range(30)]
    for service in SERVICES.values():
        parts = render([choices(*labels)], service)
        assert parts[-1].style == "plain" and "30. Option 29" in "\n".join(part.text for part in parts)


def test_the_same_label_twice_is_numbered_not_dropped():
    (part,) = render([choices("More", "more")], limits.WHATSAPP)
    assert part.style == "plain" and "1. More\n2. more" in part.text


def test_numbers_run_through_the_whole_reply_and_a_choice_offered_twice_has_one():
    first, second = choices("Cost", "Length", text="First."), choices("Length", "Risks", text="Second.", first=1)
    (part,) = render([first, second], limits.TWILIO)
    assert part.text == f"First.\n1. Cost\n2. Length\n\nSecond.\n2. Length\n3. Risks\n\n{BY_NUMBER}"


def test_choices_of_several_messages_stand_under_the_last_part():
    parts = render([choices("Cost", text="First."), {"type": "text", "text": "Second."}], limits.MESSENGER)
    assert [(part.text, len(part.options)) for part in parts] == [("First.\n\nSecond.", 1)]


def test_what_does_not_fit_above_buttons_goes_before_them():
    text = " ".join(f"Sentence number {number} is here." for number in range(60))
    parts = render([choices("Cost", text=text)], limits.WHATSAPP)
    assert [part.style for part in parts] == ["plain", "buttons"] and len(parts[-1].text) <= 1024
    assert " ".join(part.text for part in parts) == text


def test_sms_shows_no_word_that_the_service_answers_itself():
    (part,) = render([choices("Yes", "No", "Stop", "Help")], limits.TWILIO)
    assert "1. Yes please\n2. No\n3. Stop please\n4. Help please" in part.text


def test_text_is_cut_at_the_end_of_a_sentence():
    assert split("One two. Three four. Five six.", 20, limits.TELEGRAM) == ["One two. Three four.", "Five six."]
    assert split("See Dr. Smith today. Then rest.", 25, limits.TELEGRAM) == ["See Dr. Smith today.", "Then rest."]
    assert split("A line\nAnother line", 12, limits.TELEGRAM) == ["A line", "Another line"]
    assert split("no end of a sentence here", 10, limits.TELEGRAM) == ["no end of", "a sentence", "here"]
    assert split("x" * 25, 10, limits.TELEGRAM) == ["x" * 10, "x" * 10, "x" * 5]


def test_each_part_of_a_safety_reply_begins_neutrally():
    services = [{"name": f"Service {number}", "call": "01632 960002", "hours": "24/7"} for number in range(60)]
    for service in SERVICES.values():
        parts = render([{"type": "helplines", "text": "It sounds hard.", "services": services}], service, LEAD)
        assert all(part.text.startswith(LEAD) for part in parts) and len(LEAD) >= 60
    assert len(parts) > 1


def test_helplines_are_lines_with_bare_numbers():
    services = [{"id": "a", "name": "A service", "call": "116 000", "sms": None, "email": "help@example.org", "web": None,
                 "hours": "24/7"}, {"name": "By text", "call": None, "sms": "70007", "sms_body": "HELLO", "web": "example.org"},
                {"name": "A register", "call": None, "sms": None, "web": None}]
    (part,) = render([{"type": "helplines", "text": "You are not alone.", "services": services}], limits.TWILIO)
    assert part.text == ("You are not alone.\nA service: call 116 000, help@example.org (24/7)\n"
                         "By text: text HELLO to 70007, example.org\nA register")


def test_cards_and_links_are_short_text_with_the_address():
    cards = [{"name": "A. Person", "town": "Leeds", "formats": ["online"], "fee": "£60", "register": "BACP 1", "url": "https://x.org/r/1"}]
    (part,) = render([{"type": "cards", "text": "Near Leeds:", "cards": cards},
                      {"type": "links", "text": "", "links": [{"label": "All", "url": "https://x.org/"},
                                                              {"label": "Write", "url": "mailto:a@x.org"}]}], limits.WHATSAPP)
    assert part.text == ("Near Leeds:\nA. Person (Leeds; online; £60; BACP 1)\nhttps://x.org/r/1\n\n"
                         "All: https://x.org/\nWrite: a@x.org")


def test_no_reply_speaks_of_the_widgets_exit_button_and_all_else_stays():
    replies = (ROOT / "data" / "safety" / "replies.yml").read_text()
    texts = [text for text in re.findall(r'"((?:[^"\\\\]|\\\\.)*)"', replies) if "exit button" in text.lower()]
    assert texts
    for text in texts:
        (part,) = render([{"type": "text", "text": text}], limits.WHATSAPP)
        assert part.text == " ".join(sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if "exit button" not in sentence.lower())


def test_no_text_asks_for_a_word_that_twilio_answers_itself():
    words = "|".join(sorted(limits.TWILIO.reserved))
    verbs = r"\b(?:write|say|type|reply|send|text|answer)(?: with| me)?"
    asked = re.compile(rf"{verbs} [\"'“‘]?(?:{words})[\"'”’]?(?=[.,;:)]| to )", re.IGNORECASE)
    texts = [variation.text for topic in load_topics(ROOT) for variations in topic.responses.values() for variation in variations]
    texts += [path.read_text() for path in (ROOT / "data" / "gateway.yml", ROOT / "data" / "safety" / "replies.yml")]
    texts += re.findall(r"^  - text: .*?(?=^  \S|\Z)", (ROOT / "data" / "dialogue" / "search.yml").read_text(), re.MULTILINE | re.DOTALL)
    assert len(texts) > 100 and [text for text in texts if asked.search(text)] == []


def test_nothing_is_rendered_of_nothing():
    assert render([], limits.TELEGRAM) == []


WORDS = st.text(st.sampled_from("ab &<>😀é.!?\n"), max_size=1500)
LABELS = st.lists(st.text(st.sampled_from("abc DEF?😀&"), min_size=1, max_size=90).filter(str.strip), max_size=14)
MESSAGE = st.builds(lambda text, labels: choices(*labels, text=text), WORDS, LABELS)


@pytest.mark.parametrize("name", SERVICES)
@settings(max_examples=120, deadline=None)
@given(messages=st.lists(MESSAGE, min_size=1, max_size=3), lead=st.sampled_from(["", LEAD]))
def test_every_part_is_within_the_limits_and_no_word_is_lost(name, messages, lead):
    service = SERVICES[name]
    parts = render(messages, service, lead)
    shown = "\n".join(part.text for part in parts)
    for part in parts:
        assert part.text.strip()
        assert service.measure(part.text) <= {"plain": service.text, "buttons": service.button_text, "list": service.row_text}[part.style]
        assert len(part.options) <= {"plain": 0, "buttons": service.buttons, "list": service.rows}[part.style]
        for option in part.options:
            assert service.measure(option.label) <= (service.button_label if part.style == "buttons" else service.row_label)
            assert service.measure(option.detail) <= service.row_detail
        assert len({option.label for option in part.options}) == len(part.options)
    assert "token-" not in shown
    said = re.findall(r"\w", " ".join(message["text"] for message in messages))
    seen = iter(re.findall(r"\w", shown))
    assert all(letter in seen for letter in said)
