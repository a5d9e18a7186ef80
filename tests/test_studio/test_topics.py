"""Topics by the pages: created, changed, merged with a developer's edit, switched off, deleted."""
from __future__ import annotations

import pytest
from studio_helpers import form_of, git

from assistant.content import check, read_topic

PHRASINGS = [
    "do you do couples discount",
    "cheaper for two people",
    "discount if my wife comes too",
    "two for one price?",
    "price for both of us",
    "is it less each when we come together",
    "couple rate",
    "reduced rate for pairs",
    "whats the charge for a couple",
    "joint session price",
]
ANSWER = (
    "Some therapists charge a couple more than one person, and some charge the same. Each decides for themselves, so ask before you book."
)
MORE = (
    "A session with two people is often longer, which is one reason why it can cost more. Ask what one session costs, how long it lasts "
    "and what happens if only one of you can come."
)


def new_topic(client, **changes):
    form = form_of(client.get("/topics/new").text)
    form.update({
        "label": "Price for couples?", "group": "practical", "examples": "\n".join(PHRASINGS), "text:utter_new:0": ANSWER,
        "text:utter_new_more:0": MORE, "button:utter_new:0": ["/faq_cost", ""],
    })
    form.update(changes)
    return client.post("/topics/new", data=form)


@pytest.fixture
def ours(own_studio):
    studio = own_studio()
    return studio, studio.person("Ada Editor", "editor")


def errors(root):
    return [str(problem) for problem in check(root) if not problem.warning]


def test_new_topic_is_one_commit_with_intent_rule_and_author(ours):
    studio, ada = ours
    page = new_topic(ada)
    assert page.status_code == 200 and page.url.endswith("/topics/faq_price_for_couples")
    assert git(studio.root, "log", "-1", "--format=%an|%s") == "Ada Editor|Add the topic 'Price for couples?'"
    assert git(studio.root, "show", "--name-only", "--format=").splitlines() == ["data/practical/price_for_couples.yml", "domain.yml"]
    assert "- faq_price_for_couples" in (studio.root / "domain.yml").read_text()
    assert errors(studio.root) == []


@pytest.mark.parametrize("changes, complaint", [
    ({"label": ""}, "Give the topic a label"), ({"text:utter_new:0": ""}, "Write the answer"), ({"examples": ""}, "Write some phrasings"),
    ({"label": "???"}, "needs at least one letter"), ({"label": "Cost"}, "There is a topic of that name already"),
])
def test_incomplete_topic_is_not_saved_and_nothing_typed_is_lost(studio, changes, complaint):
    client = studio.person(f"Incomplete {len(complaint)}", "editor")
    before = git(studio.root, "rev-parse", "HEAD")
    page = new_topic(client, **changes)
    assert page.status_code == 400 and complaint in page.text
    assert git(studio.root, "rev-parse", "HEAD") == before
    form = form_of(page.text)
    assert form["text:utter_new_more:0"] == MORE and (form["examples"].splitlines() == PHRASINGS or "examples" in changes)


def test_developers_edit_in_between_is_merged(ours):
    studio, ada = ours
    form = form_of(ada.get("/topics/faq_cost").text)
    path = studio.root / "data/practical/cost.yml"
    path.write_text(path.read_text().replace("  examples: |\n", "  examples: |\n    - a developer's phrasing\n"))
    git(studio.root, "-c", "user.name=Dev", "-c", "user.email=d@example.org", "commit", "-qam", "By editor")
    form["examples"] += "\nwhat's the damage then"
    assert ada.post("/topics/faq_cost", data=form).status_code == 200
    examples = read_topic(path, studio.root).examples
    assert "a developer's phrasing" in examples and "what's the damage then" in examples


def test_uncommitted_edit_of_a_developer_is_kept_apart_and_not_signed_by_staff(ours):
    studio, ada = ours
    form = form_of(ada.get("/topics/faq_cost").text)
    path = studio.root / "data/practical/cost.yml"
    path.write_text(path.read_text().replace("  examples: |\n", "  examples: |\n    - not committed yet\n"))
    form["examples"] += "\nwhat's the damage then"
    assert ada.post("/topics/faq_cost", data=form).status_code == 200
    assert git(studio.root, "log", "-2", "--format=%an|%s").splitlines() == [
        "Ada Editor|Change the topic 'What does it cost?'", "Studio|Edited outside the studio: data/practical/cost.yml",
    ]
    assert "not committed yet" in git(studio.root, "show", "HEAD~1")
    assert {"not committed yet", "what's the damage then"} <= set(read_topic(path, studio.root).examples)


def test_second_to_save_sees_the_difference_and_merges(ours):
    studio, ada = ours
    bea = studio.person("Bea Editor", "editor")
    hers, his = (form_of(client.get("/topics/faq_cost").text) for client in (bea, ada))
    hers["text:utter_faq_cost:0"] = "Bea says that fees differ from one therapist to another. " + ANSWER
    hers["label"] = "Fees?"
    assert bea.post("/topics/faq_cost", data=hers).status_code == 200
    his["text:utter_faq_cost:0"] = "Ada says that it depends on the therapist. " + ANSWER
    page = ada.post("/topics/faq_cost", data=his)
    assert page.status_code == 409 and "Both of you changed" in page.text
    assert "Bea says" in page.text and "Ada says" in page.text
    assert "Bea says" in (studio.root / "data/practical/cost.yml").read_text()
    again = form_of(page.text)
    assert again["label"] == "Fees?"  # her other change is in his form
    again["text:utter_faq_cost:0"] = "Both say that fees differ. " + ANSWER
    assert ada.post("/topics/faq_cost", data=again).status_code == 200
    topic = read_topic(studio.root / "data/practical/cost.yml", studio.root)
    assert topic.answer.startswith("Both say") and topic.label == "Fees?"
    assert errors(studio.root) == []


def test_switching_off_and_on_again(ours):
    studio, ada = ours
    assert ada.post("/topics/faq_self_help/off").status_code == 200
    assert not (studio.root / "data/practical/self_help.yml").exists() and "faq_self_help" not in (studio.root / "domain.yml").read_text()
    assert errors(studio.root) == []
    assert "Books and self-help" in ada.get("/topics").text
    ada.post("/topics/faq_self_help/on")
    assert (studio.root / "data/practical/self_help.yml").exists() and errors(studio.root) == []


def test_deleted_topic_leaves_its_phrasings_in_the_inbox(ours):
    studio, ada = ours
    new_topic(ada)
    page = ada.get("/topics/faq_price_for_couples/delete").text
    assert "10 phrasings go to the inbox" in page
    assert ada.post("/topics/faq_price_for_couples/delete").status_code == 200
    assert errors(studio.root) == []
    inbox = ada.get("/inbox").text
    assert all(phrasing in inbox.replace("&#39;", "'") for phrasing in PHRASINGS)


@pytest.mark.parametrize("intent, reason", [("greet", "cannot do without it"), ("faq_cost", "These stories need the topic")])
def test_topic_that_is_needed_stays(ours, intent, reason):
    studio, ada = ours
    (studio.root / "data/dialogue/stories_staff.yml").write_text(
        'version: "3.1"\nstories:\n- story: about money\n  steps:\n  - intent: faq_cost\n  - action: utter_faq_cost\n'
    )
    page = ada.post(f"/topics/{intent}/delete")
    assert page.status_code == 409 and reason in page.text


def test_source_of_a_sentence_is_kept_and_changed(ours):
    studio, ada = ours
    form = form_of(ada.get("/topics/faq_cost").text)
    form["source:utter_faq_cost:0:1"], form["detail:utter_faq_cost:0:1"] = "A", '"as the page puts it"'
    ada.post("/topics/faq_cost", data=form)
    text = (studio.root / "data/practical/cost.yml").read_text()
    assert '# 2 A: "as the page puts it"' in text and "sources: [editorial, A]" in text


ADVICE = {
    "label too long": ({"label": "What will all of this cost me?"}, "Buttons on WhatsApp show 20"),
    "label taken": ({"label": "Is it on the NHS?"}, "Another topic has this label"),
    "taught elsewhere": ({"examples": "how much does it cost"}, "taught in the topic “What does it cost?” already"),
    "nearly taught elsewhere": ({"examples": "how much does it costs"}, "is nearly “how much does it cost” in the topic “What does it cost?”"),
    "twice": ({"examples": "Couple rate?\ncouple rate"}, "stands twice"),
    "few": ({"examples": "one"}, "1 of the 10 phrasings"),
    "claim": ({"text:utter_new:0": "It heals couples. " + ANSWER}, "says &#34;heals&#34; in sentence 1"),
    "short": ({"text:utter_new:0": "It depends."}, "2 words: 15 to 80 are right"),
    "exclamation mark": ({"text:utter_new:0": ANSWER + " Ask!"}, "exclamation mark"),
    "brackets": ({"text:utter_new:0": ANSWER + " {x}"}, "Curly brackets"),
    "number": ({"text:utter_new:0": ANSWER + " Ring 01632 960 001."}, "belongs to the list of helplines"),
    "hard to read": (
        {
            "text:utter_new:0": "Psychotherapeutic remuneration arrangements necessitate individualised contractual negotiation "
            "preceding commencement, notwithstanding considerable practitioner heterogeneity regarding institutional affiliation."
        },
        "Reading age",
    ),
    "long for SMS": ({"text:utter_new:0": (ANSWER + " ") * 6}, "As a text message it takes"),
}


@pytest.fixture(scope="module")
def writer(studio):
    return studio.person("Advised Writer", "editor")


@pytest.mark.parametrize("changes, expected", ADVICE.values(), ids=ADVICE)
def test_warnings_are_given_while_typing(writer, changes, expected):
    form = {**form_of(writer.get("/topics/new").text), "label": "Price for couples?", "examples": "\n".join(PHRASINGS),
            "text:utter_new:0": ANSWER, "text:utter_new_more:0": MORE, **changes}
    assert expected in writer.post("/topics/advice", data=form).text


def test_phrasing_near_another_topic_in_meaning_is_named_with_its_neighbour(writer):
    from studio_helpers import wait_for

    form = {**form_of(writer.get("/topics/new").text), "label": "X", "examples": "\n".join([*PHRASINGS, "how much does a session cost me"])}
    answer = wait_for(lambda: (lambda text: text if "Still reading" not in text else None)(writer.post("/topics/advice", data=form).text),
                      120, "phrasings embedded")
    assert "“how much does a session cost me” is very close to “" in answer and "in the topic “What does it cost?”" in answer


def test_sound_draft_has_nothing_to_mend_and_is_previewed_for_both_channels(writer):
    form = {**form_of(writer.get("/topics/new").text), "label": "Price for couples?", "examples": "\n".join(PHRASINGS),
            "text:utter_new:0": ANSWER, "text:utter_new_more:0": MORE, "button:utter_new:0": ["/faq_cost", ""]}
    page = writer.post("/topics/advice", data=form).text
    assert "Nothing to mend" in page and "In the widget" in page and "On WhatsApp" in page
    assert page.count(f"<p>{ANSWER}</p>") == 2 and page.count("What does it cost?") >= 2
