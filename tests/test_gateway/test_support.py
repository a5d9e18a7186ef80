"""What a person in distress is told, with the real safety check, and what is offered afterwards."""
import pytest
from sqlalchemy import select
from support import CRISIS, texts, until

from gateway import schema

ABUSE = "My husband beats me and I am scared he will kill me tonight"


def choices(value):
    return {choice["label"]: choice["choice"] for message in value["messages"] for choice in message.get("choices") or []}


def helplines(value):
    return [message for message in value["messages"] if message["type"] == "helplines"]


async def rows(gateway, table):
    return await gateway.parts.database.read(lambda connection: connection.execute(select(table)).all())


async def test_concern_is_answered_with_kindness_the_answer_and_one_line_of_support(light):
    visitor = await light.visitor()
    _, value = await visitor.say("I feel so low lately. How much does it cost?")
    said = texts(value)
    place = said.index("You said I feel so low lately. How much does it cost?")
    assert place == 1 and len(said) >= 3 and light.rasa.calls
    assert (await rows(light, schema.turns))[0].level == "concern"


async def test_a_question_beside_a_crisis_is_answered_at_a_press(light):
    visitor = await light.visitor()
    _, value = await visitor.say(f"{CRISIS}. How much does a session cost?")
    assert helplines(value) and light.rasa.said == []
    status, value = await visitor.choose(choices(value)["Answer my question"])
    assert status == 200 and light.rasa.said == ["How much does a session cost?"]


async def test_a_search_is_interrupted_and_can_be_carried_on(light):
    async def asks_for_a_place(body):
        return light.rasa.reply({"text": "Which town?"}, actions=["search_form"])

    light.rasa.answer = asks_for_a_place
    visitor = await light.visitor()
    await visitor.say("find me a therapist")
    _, value = await visitor.say(CRISIS)
    light.rasa.answer = light.rasa.usual
    carry_on = [token for label, token in choices(value).items() if "search" in label.lower()]
    assert len(carry_on) == 1
    await visitor.choose(carry_on[0])
    assert light.rasa.said[-1] == "/find_therapist"


async def test_more_support_opens_the_whole_card(light):
    visitor = await light.visitor()
    _, value = await visitor.say(CRISIS)
    few = helplines(value)[0]["services"]
    _, value = await visitor.choose(choices(value)["More support"])
    assert len(few) <= 3 < len(helplines(value)[0]["services"])


async def test_no_wording_repeats_while_another_is_left(light):
    visitor = await light.visitor()
    said = [texts((await visitor.say(CRISIS))[1])[0] for _ in range(2)]
    assert len(set(said)) == 2


async def test_you_misunderstood_is_taken_kindly_and_changes_nothing_about_help(light):
    visitor = await light.visitor()
    await visitor.say(CRISIS)
    status, value = await visitor.say("I'm fine, you misunderstood")
    assert status == 200 and light.rasa.said == [] and texts(value)
    assert [row.reason for row in await rows(light, schema.review)] == ["denial"]
    assert helplines((await visitor.say(CRISIS))[1])


async def test_after_abuse_no_couple_answer_and_no_search_is_offered(light):
    async def offers(body):
        return light.rasa.reply({"text": "Sessions vary.", "buttons": [
            {"title": "Relationships", "payload": "/faq_relationship_issues"}, {"title": "Find a therapist", "payload": "/find_therapist"},
            {"title": "Cost", "payload": "/faq_cost"}]})

    visitor = await light.visitor()
    _, value = await visitor.say(ABUSE)
    text = "\n".join(texts(value))
    assert "999" in text and not {"Relationships", "Find a therapist"} & set(choices(value))
    light.rasa.answer = offers
    _, value = await visitor.say("how many sessions will I need?")
    assert "Cost" in choices(value) and not {"Relationships", "Find a therapist"} & set(choices(value))


@pytest.mark.parametrize("with_token, noted", [(True, ["help_after_none"]), (False, [])])
async def test_the_help_button_of_the_widget_shows_misses_of_the_check(light, with_token, noted):
    visitor = await light.visitor()
    await visitor.say("how much is it? I live at LS6 3HN")
    client = visitor if with_token else light.stranger()
    status, value, _ = await client.call("GET", "/api/help")
    assert status == 200 and value["type"] == "helplines"
    await until(lambda: not light.parts.tasks)
    found = await rows(light, schema.review)
    assert [row.reason for row in found] == noted and "3HN" not in str(found)


async def test_help_after_a_crisis_is_no_miss(light):
    visitor = await light.visitor()
    await visitor.say(CRISIS)
    await visitor.call("GET", "/api/help")
    await until(lambda: not light.parts.tasks)
    assert await rows(light, schema.review) == []


async def test_an_old_token_keeps_nobody_from_help(light):
    assert (await light.stranger().call("GET", "/api/help", Authorization="Bearer nonsense"))[0] == 200


async def test_the_safety_state_outlives_a_restart_of_the_memory(light):
    visitor = await light.visitor()
    await visitor.say(CRISIS)
    light.parts.safety.forget(visitor.conversation)
    _, value = await visitor.say("how much is it?")
    assert light.parts.texts.help_label in choices(value)
