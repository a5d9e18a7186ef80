"""What hangs on the turns before, as a visitor meets it (addons/policies.py, addons/history.py)."""
import pytest

from assistant.safety import Helplines
from assistant.settings import ROOT
from tests.test_addons.talk import Talk

FEELINGS = ("I feel so alone", "my mum never had time for me", "I cry most days")
FOREIGN_TO_US = ("what is the capital of Peru", "who won the football last night", "can you write me a poem about the sea")


def test_every_topic_has_more_to_tell(agent):
    topics = sorted(name for name in agent.domain.intents if name.startswith("faq_"))
    assert len(topics) > 30
    for topic in topics:
        talk = Talk(agent)
        talk.buttons = {topic: f"/{topic}"}
        assert talk.presses(topic) == [f"utter_{topic}"]
        assert talk.says("tell me more") == [f"utter_{topic}_more"]
        assert talk.says("tell me more") == ["utter_no_more"]


def test_every_intent_has_an_answer(agent, talk):
    for intent in agent.domain.intents:
        if intent in ("find_therapist", "multi_question") or intent in ("back", "out_of_scope", "restart", "session_start"):
            continue
        talk.buttons = {intent: f"/{intent}"}
        actions = talk.presses(intent)
        assert actions and talk.texts and "action_default_fallback" not in actions, intent


def test_more_is_told_once_and_anew_after_another_topic(talk):
    talk.says("how much does therapy cost?", "tell me more")
    assert talk.says("tell me more") == ["utter_no_more"]
    assert talk.says("how long does a session last?", "tell me more") == ["utter_faq_session_length_more"]


def test_a_fresh_start_forgets_the_topic(talk):
    assert talk.says("how much does therapy cost?", "start again", "tell me more") == ["utter_tell_me_more"]


def test_yes_takes_the_first_offer_of_a_question(talk):
    talk.says("start again")
    assert talk.texts[-1].endswith("?")
    first = list(talk.buttons.values())[0]
    assert talk.says("yes please") == [f"utter_{first.lstrip('/')}"]


def test_yes_to_no_question_asks_what_is_wanted(talk):
    assert talk.says("thank you", "yes") == ["utter_affirm"]


def test_yes_to_a_list_shows_the_list_again(talk):
    talk.says("can my boss come along")
    assert talk.actions == ["utter_did_you_mean"]
    offered = talk.buttons
    assert list(offered)[-1] == "None of these" and 3 <= len(offered) <= 4
    assert talk.says("yes") == ["utter_choose_which"]
    assert talk.buttons == offered


def test_button_under_did_you_mean_is_answered(talk):
    talk.says("can my boss come along")
    first = list(talk.buttons)[0]
    payload = talk.buttons[first]
    assert talk.presses(first) == [f"utter_{payload.lstrip('/')}"]


def test_none_of_these_leads_to_people(talk):
    talk.says("can my boss come along")
    assert talk.presses("None of these") == ["utter_contact_offer"]
    assert "Find a therapist" in talk.buttons and "gateway:help" in talk.buttons.values()


def test_number_beyond_the_list_shows_it_again(talk):
    talk.says("hello")
    offered = talk.buttons
    assert talk.says("number 5") == ["utter_choose_which"]
    assert talk.buttons == offered


def test_three_messages_not_understood_lead_to_people(talk):
    first, second, third = FOREIGN_TO_US
    assert talk.says(first) == ["utter_out_of_scope"]
    assert talk.says(second) == ["utter_out_of_scope", "utter_urgent_line"]
    assert talk.says(third) == ["utter_contact_offer"]
    assert "info@" in talk.texts[0]


def test_every_second_message_not_understood_names_urgent_help(talk):
    talk.says(FOREIGN_TO_US[0], FOREIGN_TO_US[1])
    assert "urgent" in " ".join(talk.texts).lower()


def test_a_message_understood_ends_the_row(talk):
    talk.says(*FOREIGN_TO_US[:2], "how does the therapy work?")
    assert talk.says(FOREIGN_TO_US[2]) == ["utter_out_of_scope"]


@pytest.mark.parametrize("text", [
    "¿cuánto cuesta la terapia y dónde puedo encontrar a alguien?", "Ich habe immer Angst, dass meine Freundin mich verlässt",
    "мне очень грустно", "我需要帮助",
])
def test_another_language_is_told_so_with_a_line_on_urgent_help(talk, text):
    assert talk.says(text) == ["utter_language"]
    assert "danger" in talk.texts[0].lower()


@pytest.mark.parametrize("text", ["help", "Help me", "PLEASE HELP!", "i need help", "sos"])
def test_a_bare_call_for_help_names_urgent_help(talk, text):
    assert talk.says(text) == ["utter_ask_capabilities", "utter_urgent_line"]
    assert "danger" in talk.texts[-1]


def test_feelings_are_met_in_other_words_each_time_and_the_third_names_people(talk):
    assert talk.says(FEELINGS[0]) == ["utter_share_feelings"]
    first = talk.texts
    assert talk.says(FEELINGS[1]) == ["utter_share_feelings"]
    assert talk.texts != first
    assert talk.says(FEELINGS[2]) == ["utter_share_feelings_people"]
    assert "gateway:help" in talk.buttons.values()


def test_several_questions_are_answered_in_their_order(talk):
    assert talk.says("Does it work online? And is it on the NHS? What does it cost?") == [
        "utter_faq_online_sessions", "utter_faq_nhs", "utter_faq_cost",
    ]
    assert len(talk.texts) == 3


def test_somebody_at_risk_is_answered_with_services_by_the_model_itself(talk):
    assert talk.says("I want to kill myself") == ["utter_crisis_support"]
    assert talk.intent == "crisis"
    numbers = [service.call for service in Helplines.load(ROOT / "data" / "safety").services.values() if service.call]
    assert sum(number in talk.texts[0] for number in numbers) >= 2


def test_deletion_is_asked_about_and_left(talk):
    talk.says("delete my data please")
    assert talk.buttons["Delete my chat"] == "gateway:delete"
    assert talk.says("yes") == ["utter_delete_my_data_how"]
    assert talk.buttons["Delete my chat"] == "gateway:delete"
    assert talk.says("no") == ["utter_delete_my_data_kept"]
