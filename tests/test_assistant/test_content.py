"""The content check finds what would mislead a visitor, all of it at once, with the file first."""
from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Dict, List

import pytest
from patience import within

from assistant.content import Problem, check, load_topics
from assistant.content.__main__ import main
from assistant.content.topics import read_topic
from assistant.errors import ContentError
from assistant.safety.helplines import Helplines
from assistant.settings import ROOT

DOMAIN = 'version: "3.1"\nintents: [faq_cost, faq_length, greet]\n'
SITE = (
    "name: A Site\ntherapy: a therapy\nhome: https://example.org\ncontact: mail@example.org\n"
    'company_number: "1"\nhours: null\n'
)
ANSWER = "It depends on the person you see, and on where you live. Each of them sets a fee and tells you before you begin."
MORE = (
    "Some people offer a lower fee to those with little money, so it is always worth asking about that before you book. "
    "A first short call is often free, and it is a good moment to ask."
)
# Words that share few letters, so that made-up phrasings are nowhere nearly the same.
WORDS = "apple bridge cloud drum eagle forest garden harbour island jungle kettle lemon mirror needle ocean pillow".split()


def phrasings(opening: str, count: int) -> List[str]:
    return [f"{opening} {WORDS[n % 16]} {WORDS[(n // 16 + n) % 16]} {WORDS[-1 - n // 16]} {n}{n}" for n in range(count)]


def topic(intent: str, label: str, examples: List[str], **changes: str) -> str:
    parts = {
        "answer": ANSWER, "comments": "  # 1 A: words of the source\n  # 2 editorial\n", "buttons": "", "more": MORE,
        "sources": "[A, editorial]", "neighbours": "[]", "rule": f"utter_{intent}", "extra": "",
    }
    parts.update(changes)
    lines = "\n".join(f"    - {example}" for example in examples)
    more = f"  utter_{intent}_more:\n  # editorial\n  - text: |-\n      {parts['more']}\n" if parts["more"] else ""
    return (
        f'version: "3.1"\nnlu:\n- intent: {intent}\n  metadata:\n    label: "{label}"\n'
        f"    neighbours: {parts['neighbours']}\n    sources: {parts['sources']}\n    reviewed_by: null\n    reviewed_on: null\n"
        f"  examples: |\n{lines}\nresponses:\n  utter_{intent}:\n{parts['comments']}  - text: |-\n      {parts['answer']}\n"
        f"{parts['buttons']}{more}rules:\n- rule: {intent}\n  steps:\n  - intent: {intent}\n  - action: {parts['rule']}\n"
        f"{parts['extra']}"
    )


@pytest.fixture
def files() -> Dict[str, str]:
    greeting = topic("greet", "Hello", phrasings("hello", 30), answer="Hello. I am automated.", more="", comments="  # editorial\n")
    return {
        "domain.yml": DOMAIN,
        "data/site.yml": SITE,
        "data/practical/cost.yml": topic("faq_cost", "What does it cost?", phrasings("how much is it", 40)),
        "data/faq/length.yml": topic("faq_length", "How long?", phrasings("when will we be done", 40)),
        "data/conversation/greet.yml": greeting,
    }


def problems(root: Path, files: Dict[str, str]) -> List[str]:
    return [str(problem) for problem in check_files(root, files)]


def check_files(root: Path, files: Dict[str, str]) -> List[Problem]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return check(root)


def cost(**changes: str) -> str:
    return topic("faq_cost", changes.pop("label", "What does it cost?"), phrasings("how much is it", 40), **changes)


def test_sound_content_has_no_problem(tmp_path, files):
    assert problems(tmp_path, files) == []


def test_topics_are_loaded_with_answer_sources_and_comments(tmp_path, files):
    problems(tmp_path, files)
    found = {topic.intent: topic for topic in load_topics(tmp_path)}
    assert list(found) == ["faq_length", "faq_cost", "greet"]
    loaded = found["faq_cost"]
    assert (loaded.label, loaded.sources, loaded.group) == ("What does it cost?", ("A", "editorial"), "practical")
    assert loaded.answer == ANSWER and loaded.more == MORE and len(loaded.examples) == 40
    assert loaded.responses["utter_faq_cost"][0].provenance() == {1: "A: words of the source", 2: "editorial"}


ONE_FAULT = {
    "missing more": (dict(more=""), "utter_faq_cost_more is missing"),
    "short answer": (dict(answer="It depends.", comments="  # editorial\n"), "utter_faq_cost has 2 words: 15 to 80"),
    "long more": (dict(more=MORE + " word" * 60), "utter_faq_cost_more has 97 words: 30 to 80"),
    "claim": (dict(answer=ANSWER.replace("tells you", "heals you")), 'says "heals" in sentence 2'),
    "exclamation mark": (dict(more=MORE[:-1] + "!"), "exclamation mark"),
    "style order": (dict(more=MORE[:-1] + ", avoidant, anxious and secure."), "the order is secure, anxious, avoidant"),
    "no source": (dict(sources="[]"), "names no source"),
    "unnamed source": (dict(sources="[editorial]"), "sentence 1 comes from A, which `sources:` does not name"),
    "no comment": (dict(comments="  # 1 A: words\n"), "no comment says where sentence 2 of 2 comes from"),
    "comment too many": (dict(comments="  # 1 A\n  # 2-3 editorial\n"), "speaks of sentence 3, but there are 2"),
    "unknown neighbour": (dict(neighbours="[faq_gone]"), "neighbour faq_gone has no topic file"),
    "unknown target": (dict(buttons='    buttons:\n    - title: "Gone"\n      payload: /faq_gone\n'), "faq_gone, which has no"),
    "title is not the label": (
        dict(buttons='    buttons:\n    - title: "Length"\n      payload: /faq_length\n'), "its title must be the label 'How long?'",
    ),
    "broken payload": (dict(buttons='    buttons:\n    - title: "X"\n      payload: faq_length\n'), "write /<intent>"),
    "long label": (dict(label="What will all of it cost?"), "has 25 characters: at most 20"),
    "label twice": (dict(label="How long?"), "is that of data/faq/length.yml too"),
    "answer without text": (dict(rule="utter_nothing"), "says utter_nothing, which has no text"),
    "unknown intent": (dict(extra="- rule: x\n  steps:\n  - intent: faq_gone\n  - action: utter_greet\n"), "waits for faq_gone"),
    "unknown part": (dict(extra="lookups: []\n"), "unknown part `lookups:`"),
}


@pytest.mark.parametrize("changes, expected", ONE_FAULT.values(), ids=ONE_FAULT)
def test_fault_of_a_topic_is_named_with_its_file(tmp_path, files, changes, expected):
    found = problems(tmp_path, {**files, "data/practical/cost.yml": cost(**changes)})
    assert any(line.startswith("data/practical/cost.yml: ") and expected in line for line in found), found


def test_quotation_with_its_source_may_hold_a_claim(tmp_path, files):
    quoted = cost(
        answer='The provider calls it "proven" on its own page. ' + ANSWER,
        comments='  # 1 A, quotation: "proven effective in numerous studies"\n  # 2-3 editorial\n',
    )
    assert problems(tmp_path, {**files, "data/practical/cost.yml": quoted}) == []


def test_each_wording_has_its_own_comments(tmp_path, files):
    wordings = (
        '    buttons:\n    - title: "How long?"\n      payload: /faq_length\n'
        "  # 1 A: other words\n  # 2-3 editorial\n  - text: One. Two. Three.\n"
    )
    problems(tmp_path, {**files, "data/conversation/greet.yml": topic("greet", "Hello", [], buttons=wordings, more="")})
    greet = read_topic(tmp_path / "data/conversation/greet.yml", tmp_path)
    assert [wording.provenance() for wording in greet.responses["utter_greet"]] == [
        {1: "A: words of the source", 2: "editorial"}, {1: "A: other words", 2: "editorial", 3: "editorial"},
    ]


def test_file_of_shared_replies_is_no_topic(tmp_path, files):
    files["data/conversation/fallback.yml"] = 'version: "3.1"\nresponses:\n  utter_shared:\n  - text: Words.\n'
    files["addons/nlg.py"] = 'SAID = "utter_shared"\n'
    assert problems(tmp_path, files) == []
    assert "fallback" not in {found.intent for found in load_topics(tmp_path)}


def test_two_styles_may_be_named_in_any_order(tmp_path, files):
    assert problems(tmp_path, {**files, "data/practical/cost.yml": cost(more=MORE[:-1] + ", avoidant or anxious.")}) == []


def test_all_problems_are_reported_at_once(tmp_path, files):
    files["data/practical/cost.yml"] = cost(answer="It heals!", sources="[]", neighbours="[faq_gone]")
    files["data/faq/length.yml"] = "nlu: [\n"
    found = problems(tmp_path, files)
    assert {line.split(":")[0] for line in found} >= {"data/practical/cost.yml", "domain.yml"}
    assert any(line.startswith("data/faq/length.yml, line ") for line in found)
    assert sum(line.startswith("data/practical/cost.yml") for line in found) >= 5


def test_phrasing_in_two_topics_is_found_whatever_its_case_and_punctuation(tmp_path, files):
    files["data/faq/length.yml"] = topic("faq_length", "How long?", phrasings("done", 39) + ["What's the, fee?"])
    files["data/practical/cost.yml"] = topic("faq_cost", "What does it cost?", phrasings("cost", 39) + ["whats the fee"])
    assert "data/practical/cost.yml: example 'whats the fee' stands in data/faq/length.yml too." in problems(tmp_path, files)


def test_phrasing_nearly_the_same_in_two_topics_is_found(tmp_path, files):
    files["data/faq/length.yml"] = topic("faq_length", "How long?", phrasings("done", 39) + ["how much do i pay for a year of seeing one"])
    files["data/practical/cost.yml"] = topic(
        "faq_cost", "What does it cost?", phrasings("cost", 39) + ["how much did I pay for a year of seeing one?"]
    )
    found = [line for line in problems(tmp_path, files) if "nearly" in line]
    assert found == [
        "data/practical/cost.yml: example 'how much did I pay for a year of seeing one?' is nearly "
        "'how much do i pay for a year of seeing one' in data/faq/length.yml. Keep one."
    ]


def test_phrasings_a_known_word_apart_are_two(tmp_path, files):
    known = [f"{word} {other}" for other in ("theory", "therapy") for word in WORDS[:5]]
    files["data/faq/length.yml"] = topic("faq_length", "How long?", phrasings("done", 39) + known + ["what is attachment theory"])
    files["data/practical/cost.yml"] = topic(
        "faq_cost", "What does it cost?", phrasings("cost", 39) + ["what is attachment therapy"]
    )
    assert problems(tmp_path, files) == []


def test_too_few_phrasings(tmp_path, files):
    files["data/practical/cost.yml"] = topic("faq_cost", "What does it cost?", phrasings("cost", 39))
    files["data/conversation/out_of_scope.yml"] = topic("out_of_scope", "Else", phrasings("else", 31), more="", sources="[editorial]",
                                                        comments="  # editorial\n")
    found = problems(tmp_path, {**files, "domain.yml": DOMAIN.replace("greet", "greet, out_of_scope")})
    assert found == [
        "data/conversation/out_of_scope.yml: warning: has 31 example phrasings: at least 400.",
        "data/practical/cost.yml: warning: has 39 example phrasings: at least 40.",
    ]


def test_topic_with_hardly_any_phrasings_fails_the_check(tmp_path, files):
    files["data/practical/cost.yml"] = topic("faq_cost", "What does it cost?", phrasings("cost", 9))
    found = check_files(tmp_path, files)
    assert [(str(problem), problem.warning) for problem in found] == [
        ("data/practical/cost.yml: has 9 example phrasings: at least 40.", False)
    ]


def test_content_of_this_project_is_whole():
    """Warnings too: what ships has all its phrasings. The dates of the helplines are for people to confirm."""
    assert [str(problem) for problem in check(ROOT) if problem.path != "data/safety/helplines.yml"] == []
    assert [str(problem) for problem in check(ROOT) if not problem.warning] == []


def test_helplines_and_telephone_numbers_elsewhere_are_checked(tmp_path, files):
    shutil.copytree(ROOT / "data/safety", tmp_path / "data/safety")
    number = next(one.call for one in Helplines.load(ROOT / "data/safety").services.values() if one.call and len(one.call) > 8)
    found = check_files(tmp_path, {**files, "data/practical/cost.yml": cost(more=MORE[:-1] + f", or ring {number}.")})
    assert [problem.path.split(":")[0] for problem in found if not problem.warning] == ["data/practical/cost.yml"]
    assert any(problem.warning and problem.path == "data/safety/helplines.yml" and "not confirmed" in problem.text for problem in found)


def test_intents_and_files_must_match(tmp_path, files):
    files["domain.yml"] = 'version: "3.1"\nintents: [faq_cost, greet, faq_nhs]\n'
    assert problems(tmp_path, files) == [
        "data/faq/length.yml: faq_length is not listed under `intents:` in domain.yml. Add it there.",
        "domain.yml: faq_nhs has no topic file nhs.yml below data/.",
    ]


def test_orphan_response_and_story_with_unknown_names_are_found(tmp_path, files):
    files["data/dialogue/stories.yml"] = (
        'version: "3.1"\nresponses:\n  utter_nobody_says:\n  - text: Words.\nstories:\n- story: one\n  steps:\n'
        "  - or:\n    - intent: greet\n    - intent: faq_gone\n  - action: utter_gone\n"
    )
    assert problems(tmp_path, files) == [
        "data/dialogue/stories.yml: story 'one' waits for faq_gone, which is no intent.",
        "data/dialogue/stories.yml: story 'one' says utter_gone, which has no text.",
        "data/dialogue/stories.yml: utter_nobody_says is an orphan: no rule, story or form says it.",
    ]


def test_response_in_two_files_is_found(tmp_path, files):
    files["data/dialogue/rules.yml"] = 'version: "3.1"\nresponses:\n  utter_greet:\n  - text: Hello.\n'
    assert problems(tmp_path, files) == ["data/dialogue/rules.yml: utter_greet stands in data/conversation/greet.yml too. Keep one."]


def test_site_file_is_checked(tmp_path, files):
    files["data/site.yml"] = "name: A Site\ntherapy: t\nhome: example.org\ncontact: mail\ncompany_number: 16\nhour: 9\n"
    assert problems(tmp_path, files) == [
        "data/site.yml: has an unknown line `hour:`. It may hold name, therapy, home, contact, company_number, hours.",
        "data/site.yml: company_number: 16 is no text. Put it in quotation marks.",
        "data/site.yml: `hours:` is missing.",
        "data/site.yml: home: example.org is no address that begins with https://.",
        "data/site.yml: contact: mail is no e-mail address.",
    ]


def test_unreadable_topic_is_one_clear_line(tmp_path, files):
    problems(tmp_path, files)
    path = tmp_path / "data/faq/length.yml"
    path.write_text("nlu: []\n")
    with pytest.raises(ContentError, match=r"^data/faq/length.yml: has not exactly one intent"):
        read_topic(path, tmp_path)


def test_six_thousand_phrasings_take_less_than_five_seconds(tmp_path, files):
    everyday = "how do i know if my partner will want to see someone about money work sleep trust and family again".split()
    for number in range(60):
        examples = [" ".join(everyday[(number * 7 + n * k) % 20] for k in range(1, 9)) + f" {number} {n}" for n in range(100)]
        files[f"data/faq/made{number}.yml"] = topic(f"faq_made{number}", f"Made {number}", examples)
    problems(tmp_path, files)
    start = time.perf_counter()
    check(tmp_path)
    assert time.perf_counter() - start < within(5)


def test_command_prints_problems_and_exits_with_1(tmp_path, files, monkeypatch, capsys):
    problems(tmp_path, {**files, "data/practical/cost.yml": cost(more="")})
    monkeypatch.setattr("assistant.content.__main__.ROOT", tmp_path)
    assert main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "data/practical/cost.yml: utter_faq_cost_more is missing. Write it under `responses:`.",
        "Content check: 1 problems, 0 warnings.",
    ]
