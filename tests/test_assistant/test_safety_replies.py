"""The registry of helplines and the wordings of the replies."""
from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date, datetime, timezone

import pytest
import yaml

from assistant.errors import ContentError
from assistant.safety import CATEGORIES, Helplines, Replies, Verdict
from assistant.safety.registry_check import check, number_elsewhere
from assistant.safety.replies import NEUTRAL
from assistant.settings import ROOT

DATA = ROOT / "data" / "safety"
NOON = datetime(2025, 6, 2, 11, 0, tzinfo=timezone.utc)  # noon in London
NIGHT = datetime(2025, 6, 2, 2, 0, tzinfo=timezone.utc)
CRISIS = Verdict("crisis", category="suicide", detector="phrases", explicit=True)


@pytest.fixture(scope="module")
def replies() -> Replies:
    return Replies.load(DATA)


@pytest.fixture(scope="module")
def raw() -> dict:
    return yaml.safe_load((DATA / "replies.yml").read_text(encoding="utf-8"))


def wordings(value) -> list:
    if isinstance(value, str):
        return [value]
    return [text for item in (value.values() if isinstance(value, dict) else value) for text in wordings(item)]


def copy(tmp_path, change):
    for name in ("helplines.yml", "replies.yml"):
        shutil.copy(DATA / name, tmp_path / name)
    path = tmp_path / "helplines.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content["services"])
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def names(reply) -> list:
    return [service["id"] for service in reply.messages[0]["services"]]


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("explicit", [True, False])
def test_every_crisis_gets_words_and_one_to_three_services(replies, category, explicit):
    reply = replies.answer(Verdict("crisis", category=category, explicit=explicit), now=NOON)
    message = reply.messages[0]
    assert message["type"] == "helplines" and message["text"]
    assert 1 <= len(message["services"]) <= 3
    assert message["choices"][0]["payload"] == "gateway:help"


def test_the_risk_is_named_only_where_it_was_named(replies, raw):
    assert any("ending your life" in text or "suicide" in text for text in raw["crisis"]["suicide"]["explicit"])
    for category in CATEGORIES:
        for text in raw["crisis"][category]["general"]:
            assert not re.search(r"suicid|ending your life|hurting yourself|voices", text)


def test_two_crisis_messages_in_a_row_do_not_repeat_words(replies):
    used = []
    for _ in range(4):
        reply = replies.answer(CRISIS, used=used, now=NOON)
        assert reply.id not in used
        used.append(reply.id)
    assert replies.answer(CRISIS, used=used, now=NOON).id == used[0]


def test_no_wording_has_an_exclamation_mark_or_a_number_of_the_registry(raw):
    for text in wordings(raw):
        assert "!" not in text
        assert set(re.findall(r"\d{2,}", text)) <= {"999", "111", "55"}


def test_there_are_at_least_four_wordings_of_each_reply(raw):
    groups = [raw["child"], raw["denial"], *raw["topics"].values(), *(texts for kinds in raw["crisis"].values() for texts in kinds.values()),
              *(kinds["before"] for kinds in raw["concern"].values())]
    assert all(len(set(texts)) >= 4 for texts in groups)


@pytest.mark.parametrize("group", [("crisis", "abuse_violence"), ("topics", "sexual_violence")])
def test_an_abuse_reply_begins_neutrally_and_names_999_55_and_the_exit(raw, group):
    for text in wordings(raw[group[0]][group[1]]):
        assert not re.search(r"abus|hurt|hit|rape|violen|danger|unsafe|safe|999|police|leave him|sex", text[:NEUTRAL], re.IGNORECASE)
        assert "999" in text and "55" in text and "exit button" in text


def test_losing_reality_never_repeats_a_belief(raw):
    for text in wordings(raw["crisis"]["losing_reality"]):
        assert not re.search(r"voice|watch|follow|god|camera|poison|real\b|believe|psycho", text, re.IGNORECASE)


def test_a_medical_emergency_names_999_and_111_and_puts_999_first(replies, raw):
    for text in wordings(raw["crisis"]["medical_emergency"]):
        assert "999" in text and "111" in text
    assert names(replies.answer(Verdict("crisis", category="medical_emergency", explicit=True), now=NOON))[:2] == ["emergency", "nhs_111"]


def test_a_child_hears_of_childline_first(replies):
    reply = replies.answer(replace(CRISIS, child=True), now=NIGHT)
    assert names(reply)[0] == "childline" and "Childline" in reply.messages[0]["text"]


def test_a_question_and_an_open_search_become_buttons_but_no_search_after_abuse(replies):
    asked = replace(CRISIS, rest="How much does it cost?")
    assert [choice["payload"] for choice in replies.answer(asked, now=NOON, form=True).messages[0]["choices"]] == [
        "gateway:help", "gateway:answer", "/find_therapist"]
    abuse = Verdict("crisis", category="abuse_violence")
    assert [choice["payload"] for choice in replies.answer(abuse, now=NOON, form=True).messages[0]["choices"]] == ["gateway:help"]


def test_concern_gets_a_kind_first_sentence_and_a_support_line_after_the_answer(replies):
    reply = replies.answer(Verdict("concern"), now=NOON)
    assert reply.messages[0]["type"] == "text" and reply.after[0]["type"] == "helplines"
    assert len(reply.after[0]["services"]) == 2


@pytest.mark.parametrize("topic, service", [("suicide_bereavement", "sobs"), ("therapist_misconduct", "registers")])
def test_bereavement_and_a_complaint_have_their_own_words_and_service(replies, topic, service):
    reply = replies.answer(Verdict("concern", topic=topic), now=NOON)
    assert reply.id.startswith(f"concern.{topic}")
    chosen = Helplines.load(DATA).choose(category="", topic=topic, concern=True, now=NOON)
    assert service in [one.id for one in chosen]


def test_a_denial_is_accepted_and_the_support_stays(replies):
    reply = replies.denial(Verdict("none", denial=True))
    assert [choice["payload"] for choice in reply.messages[0]["choices"]] == ["gateway:help"]


def test_a_service_that_is_closed_is_not_among_the_first(replies):
    helplines = Helplines.load(DATA)
    calm = helplines.services["calm"]
    assert calm.is_open(NOON) is False
    assert calm.is_open(datetime(2025, 6, 2, 22, 30, tzinfo=timezone.utc)) is True  # 23:30 in summer London
    assert calm.is_open(datetime(2025, 6, 2, 23, 30, tzinfo=timezone.utc)) is False
    assert helplines.services["nspcc"].is_open(NOON) is None
    for verdict in (CRISIS, Verdict("concern"), Verdict("crisis", category="losing_reality")):
        message = (replies.answer(verdict, now=NIGHT).after or replies.answer(verdict, now=NIGHT).messages)[0]
        assert all(service["open"] is not False for service in message["services"])


@pytest.mark.parametrize("nation, expected", [("scotland", "scotland_abuse"), ("wales", "live_fear_free"), ("northern_ireland", "ni_abuse"),
                                              ("england", "refuge"), (None, "refuge")])
def test_abuse_services_are_those_of_the_nation(nation, expected):
    chosen = Helplines.load(DATA).choose(category="abuse_violence", now=NOON, nation=nation)
    assert expected in [one.id for one in chosen]


def test_northern_ireland_gets_lifeline_and_not_the_nhs_number_of_others():
    card = [one.id for one in Helplines.load(DATA).choose(category="suicide", now=NOON, nation="northern_ireland")]
    assert "lifeline" in card and "nhs_111" not in card


def test_one_of_three_services_takes_texts(replies):
    for category in CATEGORIES:
        services = replies.answer(Verdict("crisis", category=category), now=NIGHT).messages[0]["services"]
        assert len(services) < 3 or any(service["sms"] for service in services)


def test_the_help_card_has_every_service_of_the_registry(replies):
    assert {service["id"] for service in replies.card(NOON)["services"]} == set(Helplines.load(DATA).services)


def test_the_projects_registry_is_sound_and_says_what_is_due():
    problems = check(DATA, date(2025, 6, 1))
    assert [problem for problem in problems if not problem.warning] == []
    assert len([problem for problem in problems if problem.warning]) == len(Helplines.load(DATA).services)


@pytest.mark.parametrize("change, part", [
    (lambda rows: rows["samaritans"].update(call="12"), "no UK telephone number"),
    (lambda rows: rows["shout"].update(sms="1"), "no number for texts"),
    (lambda rows: rows["calm"].update(call=rows["samaritans"]["call"]), "belongs to another service"),
    (lambda rows: rows["beat"].update(web="http://example.org"), "https://"),
])
def test_a_wrong_number_fails_the_check(tmp_path, change, part):
    assert any(part in problem.text and not problem.warning for problem in check(copy(tmp_path, change), date(2025, 6, 1)))


def test_a_row_confirmed_long_ago_is_due_and_a_fresh_one_is_not(tmp_path):
    def confirm(rows):
        rows["samaritans"]["verified_on"], rows["shout"]["verified_on"] = date(2025, 1, 1), date(2025, 5, 20)

    due = [problem.text for problem in check(copy(tmp_path, confirm), date(2025, 6, 1))]
    assert any("samaritans" in text and "90 days" in text for text in due)
    assert not any(": shout:" in text for text in due)


@pytest.mark.parametrize("change, part", [
    (lambda rows: rows["samaritans"].update(nations=["france"]), "nations"),
    (lambda rows: rows["samaritans"].update(hours={"someday": "09:00-17:00"}), "hours"),
    (lambda rows: rows["samaritans"].update(call=999), "quotes"),
    (lambda rows: rows["samaritans"].pop("name"), "name"),
    (lambda rows: rows["samaritans"].update(verified_on="May"), "verified_on"),
    (lambda rows: rows.pop("samaritans"), "there is no service"),
])
def test_a_malformed_registry_is_refused_with_the_row_and_the_remedy(tmp_path, change, part):
    with pytest.raises(ContentError, match=part) as error:
        Replies.load(copy(tmp_path, change))
    assert "\n" not in str(error.value)


def test_a_number_in_another_file_is_found_and_a_fictional_one_is_not(tmp_path):
    (tmp_path / "data" / "safety").mkdir(parents=True)
    shutil.copy(DATA / "helplines.yml", tmp_path / "data" / "safety")
    number = Helplines.load(DATA).services["samaritans"].call
    (tmp_path / "widget.js").write_text("call 0800 000 0000\n")  # not where visitors read
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"Ring {number}.\nOr 07700 900123, for fiction.\nOr 020 8123 4567.\n")
    found = [problem.text for problem in number_elsewhere(tmp_path)]
    assert [text.split(":")[:2] for text in found] == [["docs/a.md", "1"], ["docs/a.md", "3"]]


def test_no_telephone_number_stands_elsewhere_in_the_project():
    assert [problem.text for problem in number_elsewhere(ROOT)] == []


def test_the_safety_files_are_not_taken_for_rasas_training_data():
    for name in ("examples.yml", "phrases.yml", "helplines.yml", "replies.yml"):
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            assert not re.match(r"\s*(nlu|rules|stories|responses|intents|entities|slots|forms|actions|e2e_actions|session_config|tests):", line)
