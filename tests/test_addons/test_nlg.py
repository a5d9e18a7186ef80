"""What our replies do that a template cannot (addons/nlg.py)."""
import pytest
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from addons.names import UNDERSTOOD
from addons.nlg import Responses


@pytest.fixture(scope="session")
def responses(agent):
    return Responses(None, agent.domain)


@pytest.fixture
def tracker(agent):
    return DialogueStateTracker("nlg", agent.domain.slots)


def heard(tracker, intent, **parsed):
    tracker.update(ActionExecuted("action_listen"))
    tracker.update(UserUttered("…", {"name": intent, "confidence": 0.9}, parse_data=parsed))


async def said(responses, tracker, action):
    """Generate a reply and log it as Rasa does."""
    reply = await responses.generate(action, tracker, "assistant")
    tracker.update(BotUttered(reply["text"], {"buttons": reply.get("buttons") or None}, {"utter_action": action}))
    return reply


async def test_no_wording_repeats_before_all_were_used(responses, agent):
    several = [name for name, wordings in agent.domain.responses.items() if len(wordings) > 1 and name.startswith("utter_")]
    assert {"utter_share_feelings", "utter_did_you_mean", "utter_not_understood", "utter_out_of_scope"} <= set(several)
    for name in several:
        tracker = DialogueStateTracker("nlg", agent.domain.slots)
        texts = [wording["text"] for wording in agent.domain.responses[name]]
        heard(tracker, "greet")
        first = [(await said(responses, tracker, name))["text"] for _ in texts]
        assert sorted(first) == sorted(texts), name
        assert [(await said(responses, tracker, name))["text"] for _ in texts] == first, name


async def test_share_feelings_and_fallback_have_four_wordings_or_more(agent):
    for name in ("utter_share_feelings", "utter_did_you_mean", "utter_not_understood", "utter_not_understood_help", "utter_out_of_scope"):
        assert len(agent.domain.responses[name]) >= 4, name


async def test_did_you_mean_offers_the_nearest_and_none_of_these(responses, tracker):
    near = [{"intent": "faq_cost", "label": "What does it cost?"}, {"intent": "faq_nhs", "label": "Is it on the NHS?"}]
    heard(tracker, "nlu_fallback", **{UNDERSTOOD: {"alternatives": near}})
    reply = await said(responses, tracker, "utter_did_you_mean")
    assert [(button["title"], button["payload"]) for button in reply["buttons"]] == [
        ("What does it cost?", "/faq_cost"), ("Is it on the NHS?", "/faq_nhs"), ("None of these", "/deny"),
    ]


async def test_neighbour_is_the_first_of_at_most_two_buttons(responses, tracker):
    near = [{"intent": "faq_session_length", "label": "How long is one?"}]
    heard(tracker, "faq_number_of_sessions", **{UNDERSTOOD: {"neighbours": near}})
    reply = await said(responses, tracker, "utter_faq_number_of_sessions")
    assert reply["buttons"][0]["payload"] == "/faq_session_length"
    assert len(reply["buttons"]) == len({button["payload"] for button in reply["buttons"]}) <= 2


async def test_answer_without_a_neighbour_keeps_its_own_buttons(responses, tracker, agent):
    heard(tracker, "faq_cost", **{UNDERSTOOD: {"neighbours": []}})
    reply = await said(responses, tracker, "utter_faq_cost")
    assert reply["buttons"] == agent.domain.responses["utter_faq_cost"][0]["buttons"]


async def test_repeat_says_the_whole_last_reply_with_its_buttons(responses, tracker):
    heard(tracker, "multi_question")
    cost, nhs = [await said(responses, tracker, action) for action in ("utter_faq_cost", "utter_faq_nhs")]
    heard(tracker, "repeat")
    reply = await said(responses, tracker, "utter_repeat")
    assert reply["text"] == f"{cost['text']}\n\n{nhs['text']}"
    assert reply["buttons"] == nhs["buttons"]


async def test_repeat_at_the_start_says_that_there_is_nothing(responses, tracker, agent):
    heard(tracker, "repeat")
    assert (await said(responses, tracker, "utter_repeat"))["text"] == agent.domain.responses["utter_repeat"][0]["text"]


async def test_glossary_gives_the_meanings_of_the_terms_named(responses, tracker, agent):
    heard(tracker, "faq_glossary", meanings=["A secure base is someone to return to.", "Attunement is noticing."])
    assert (await said(responses, tracker, "utter_faq_glossary"))["text"] == (
        "A secure base is someone to return to.\n\nAttunement is noticing."
    )
    heard(tracker, "faq_glossary", meanings=[])
    assert (await said(responses, tracker, "utter_faq_glossary"))["text"] == agent.domain.responses["utter_faq_glossary"][0]["text"]


async def test_crisis_says_what_the_safety_check_chose(responses, tracker, agent):
    heard(tracker, "crisis", crisis={"category": "suicide", "text": "Fitting words, and services."})
    assert (await said(responses, tracker, "utter_crisis_support"))["text"] == "Fitting words, and services."
    heard(tracker, "crisis")
    assert (await said(responses, tracker, "utter_crisis_support"))["text"] == agent.domain.responses["utter_crisis_support"][0]["text"]


async def test_unknown_reply_is_none(responses, tracker):
    heard(tracker, "greet")
    assert await responses.generate("utter_nothing", tracker, "assistant") is None


async def test_replies_of_one_conversation_do_not_change_the_domain(responses, tracker, agent):
    before = repr(agent.domain.responses)
    near = [{"intent": "faq_session_length", "label": "How long is one?"}]
    heard(tracker, "nlu_fallback", **{UNDERSTOOD: {"alternatives": near, "neighbours": near}})
    for action in ("utter_did_you_mean", "utter_faq_number_of_sessions", "utter_repeat"):
        await said(responses, tracker, action)
    assert repr(agent.domain.responses) == before
