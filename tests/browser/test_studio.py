"""The studio in a real browser: from an unanswered question to the live answer, conflicts, a failed gate, a roll back, accessibility."""
from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.studio_stage import ANSWER, MORE, PHRASINGS, Stage
from tests.browser.test_accessibility import AXE, violations
from tests.patience import within
from tests.test_studio.studio_helpers import PASSWORD, wait_for

PUBLISH_MS = 1_500_000  # a model is trained; a test that passes does not wait for it
ROLL_BACK_SECONDS = 10
PAGES = (
    "/topics",
    "/topics/new",
    "/topics/faq_cost",
    "/topics/faq_attachment_styles",
    "/topics/share_feelings",
    "/topics/faq_self_help/delete",
    "/inbox",
    "/stories",
    "/stories/new",
    "/stories/new?kind=test",
    "/try",
    "/why",
    "/why?reference=TT11-TT11",
    "/publish",
    "/safety",
    "/safety/helplines/samaritans",
    "/safety/phrases",
    "/safety/review",
    "/numbers",
    "/people",
    "/people/audit",
    "/account",
    "/nothing-here",
)


# Models are trained and loaded: on a busy machine minutes, of which a test that passes waits for none.
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: Any, model: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"), model)
    yield stage
    stage.close()


class Staff:
    """People with a browser each; a page that throws or breaks its policy fails the test."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self._browser, self._stage = browser, stage
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def blank(self) -> Page:
        """Return a page in a browser of its own."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        self._contexts.append(context)
        return self._page(context)

    def another_page(self, page: Page) -> Page:
        """Return another page of the same person."""
        return self._page(page.context)

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if "Security Policy" in line.text else None)
        return page

    def member(self, name: str, role: str) -> Page:
        """Return the page of somebody who has just used the one-time link."""
        page = self.blank()
        page.goto(self._stage.studio.link(name, role))
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("heading", name="Topics", level=1)).to_be_visible()
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def staff(browser: Browser, stage: Stage) -> Iterator[Staff]:
    staff = Staff(browser, stage)
    yield staff
    staff.close()
    assert staff.problems == []


def picture(page: Page, name: str) -> None:
    """Keep what the page shows for docs/staff-guide.md, where STUDIO_PICTURES names a folder."""
    folder = os.environ.get("STUDIO_PICTURES")
    if folder:
        # With its own way to still a page, Playwright would write a style, which the page's policy forbids.
        page.screenshot(path=f"{folder}/studio-{name}.png", animations="allow", caret="initial")


def job_ends(page: Page, words: str) -> None:
    """Wait until the job has ended, which says `words`."""
    expect(page.locator("#job .job.running")).to_have_count(0, timeout=PUBLISH_MS)
    expect(page.locator("#job")).to_contain_text(words)


def reach(page: Page, name: str, most: int = 400) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const at = document.activeElement; const label = at.labels && at.labels.length ? at.labels[0].textContent : '';"
            " return (at.getAttribute('aria-label') || label || at.textContent || '').replace(/\\s+/g, ' ').trim(); }"
        )
        if found.startswith(name):
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


def enter(page: Page, name: str, text: str) -> None:
    """Write into a field that the keyboard has reached."""
    reach(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_from_an_unanswered_question_to_the_live_answer_by_keyboard_alone(stage: Stage, staff: Staff) -> None:
    assert ANSWER not in stage.answer("could I take a pet to see my therapist")
    page = staff.blank()
    page.goto(stage.studio.link("Nora Newcomer", "publisher"))
    page.keyboard.insert_text(PASSWORD)  # the first field has the focus
    enter(page, "The same again", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Topics", level=1)).to_be_visible()

    reach(page, "Inbox")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("dog")  # most often asked, so first
    group = page.locator("form.group").first.get_by_role("checkbox").count()
    enter(page, "The question in your own words", PHRASINGS[0])
    picture(page, "inbox")
    reach(page, "Create a topic")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="New topic", level=1)).to_be_visible()
    assert page.get_by_label("How visitors ask it").input_value() == PHRASINGS[0]
    enter(page, "Label", "Can my pet come?")
    enter(page, "How visitors ask it", "\n".join(PHRASINGS))
    enter(page, "Answer", ANSWER)
    enter(page, "More, when", MORE)
    preview = page.locator(".widget-preview .bubble")
    expect(preview.first).to_have_text(ANSWER)
    expect(page.locator(".whatsapp-preview .bubble").last).to_have_text(MORE)
    picture(page, "topic")
    reach(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("“Can my pet come?” is saved")

    reach(page, "Skip to the content")
    reach(page, "Try it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Try it", level=1)).to_be_visible()
    reach(page, "Prepare the draft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=PUBLISH_MS)
    expect(page.get_by_text("Not prepared yet")).to_have_count(0)
    enter(page, "A visitor’s message", "could I take a pet to see my therapist")
    page.keyboard.press("Enter")
    draft, live = (page.locator(".exchange .answer").nth(place) for place in (0, 1))
    expect(draft).to_contain_text(ANSWER, timeout=180_000)
    expect(draft).to_contain_text("Understood as “Can my pet come?”")
    expect(live).not_to_contain_text(ANSWER)
    picture(page, "try")

    reach(page, "Skip to the content")
    reach(page, "Publish")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Publish", level=1)).to_be_visible()
    enter(page, "What is new", "Pets in therapy")
    page.keyboard.press("Enter")
    job_ends(page, "Live now.")
    expect(page.get_by_role("row", name="Pets in therapy").get_by_text("live")).to_be_visible()
    picture(page, "publish")
    assert ANSWER in stage.answer("could I take a pet to see my therapist")
    assert group > 2 and stage.journal.statuses().count("assigned") == group  # the dogs; parking waits


def test_changed_answer_alone_is_live_without_a_training(stage: Stage, staff: Staff) -> None:
    page = staff.member("Una Update", "publisher")
    page.goto(stage.studio.url + "/topics/faq_cost")
    answer = page.get_by_label("Answer", exact=True)
    answer.fill(answer.input_value() + " It is fine to compare.")
    page.get_by_role("button", name="Save").click()
    page.goto(stage.studio.url + "/publish")
    page.get_by_label("What is new").fill("Costs may be compared")
    start = time.monotonic()
    page.get_by_role("button", name="Publish", exact=True).click()
    job_ends(page, "Live now.")
    print(f"answers alone live after {time.monotonic() - start:.0f} s")
    expect(page.get_by_role("row", name="Costs may be compared")).to_contain_text("answers only")
    assert "It is fine to compare." in stage.answer("how much does it cost")


def test_roll_back_is_one_click_and_the_live_assistant_follows_within_ten_seconds(stage: Stage, staff: Staff) -> None:
    page = staff.member("Rolf Rollback", "publisher")
    page.goto(stage.studio.url + "/publish")
    before = stage.live.serving()
    start = time.monotonic()
    page.get_by_role("button", name="Roll back").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Rolled back to")
    wait_for(lambda: stage.live.serving() not in (None, before), within(ROLL_BACK_SECONDS), "the live assistant serves the older release")
    print(f"rolled back after {time.monotonic() - start:.0f} s")
    assert "It is fine to compare." not in stage.answer("how much does it cost")


def test_two_editors_at_once_lose_nothing(stage: Stage, staff: Staff) -> None:
    one, other = staff.member("Edith Editor", "editor"), staff.member("Otto Editor", "editor")
    for page in (one, other):
        page.goto(stage.studio.url + "/topics/faq_session_length")
    texts = ["Edith thinks that most sessions last fifty minutes. ", "Otto thinks that an hour is common. "]
    for page, text in zip((one, other), texts):
        answer = page.get_by_label("Answer", exact=True)
        answer.fill(text + answer.input_value())
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("status").first).to_contain_text("Saved")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("alert")).to_contain_text("Somebody else changed this topic")
    conflict = other.get_by_role("region", name="Both of you changed")
    expect(conflict).to_contain_text(texts[0])
    expect(conflict).to_contain_text(texts[1])
    picture(other, "conflict")
    answer = other.get_by_label("Answer", exact=True)
    answer.fill(texts[0] + answer.input_value())
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("status").first).to_contain_text("Saved")
    one.reload()
    assert one.get_by_label("Answer", exact=True).input_value().startswith(texts[0] + texts[1])


def test_forbidden_claim_is_stopped_before_the_training_and_the_page_says_what_to_do(stage: Stage, staff: Staff) -> None:
    page, before = staff.member("Clara Claims", "publisher"), stage.live.serving()
    page.goto(stage.studio.url + "/topics/faq_session_length")
    answer = page.get_by_label("Answer", exact=True)
    honest = answer.input_value()
    for text, outcome in ((f"This therapy is proven to heal in a year. {honest}", "What stands in the way"), (honest, "")):
        page.goto(stage.studio.url + "/topics/faq_session_length")
        answer.fill(text)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved")
        if outcome:
            page.goto(stage.studio.url + "/publish")
            page.get_by_label("What is new").fill("A bold claim")
            page.get_by_role("button", name="Publish", exact=True).click()
            job_ends(page, outcome)
            expect(page.locator(".stops")).to_contain_text("the answer says \"proven\"")
            expect(page.locator(".stops")).to_contain_text("Open it, mend that and publish again")
            picture(page, "stopped")
    assert stage.live.serving() == before


def test_mistake_is_stopped_by_a_gate_and_visitors_notice_nothing(stage: Stage, staff: Staff) -> None:
    held_back = [line.split("\t") for line in (stage.studio.root / "tests/heldback/intents.tsv").read_text().splitlines()]
    # Long ones: a short one may be nearly a taught phrasing, which the content check finds before any gate does.
    costs = sorted((row[0] for row in held_back if row[1] == "faq_cost"), key=len)[-6:]
    page = staff.member("Gail Gatekeeper", "publisher")
    page.goto(stage.studio.url + "/topics/faq_nhs")
    examples = page.get_by_label("How visitors ask it")
    examples.fill("\n".join([examples.input_value(), *costs]))
    page.get_by_role("button", name="Save").click()
    before = stage.live.serving()
    page.goto(stage.studio.url + "/publish")
    page.get_by_label("What is new").fill("More about the NHS")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.close()  # it goes on without the browser
    page = staff.another_page(page)
    page.goto(stage.studio.url + "/publish")
    job_ends(page, "What stands in the way")
    expect(page.locator(".stops")).to_contain_text("“What does it cost?” lost")
    expect(page.locator(".stops")).to_contain_text("now “Is it on the NHS?”")
    expect(page.locator(".stops")).to_contain_text("one of them draws these messages")
    assert stage.live.serving() == before
    page.get_by_role("button", name="Release with these losses").click()  # without a reason the browser holds it
    assert stage.live.serving() == before
    page.goto(stage.studio.url + "/publish")
    expect(page.get_by_role("row", name="More about the NHS")).to_have_count(0)


def test_publication_is_cancelled_and_visitors_notice_nothing(stage: Stage, staff: Staff) -> None:
    before = stage.live.serving()
    page = staff.member("Cleo Canceller", "publisher")
    page.goto(stage.studio.url + "/publish")
    page.get_by_label("What is new").fill("A change of mind")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status").first).to_contain_text("Visitors notice nothing")
    job_ends(page, "Cancelled")
    assert stage.live.serving() == before


def test_why_explains_a_sentence_by_any_kept_release(stage: Stage, staff: Staff) -> None:
    page = staff.member("Rita Release", "editor")
    page.goto(stage.studio.url + "/why")
    releases = page.get_by_label("Release")
    why = page.locator("section[aria-labelledby=why-title]")
    for release, understood in (("Pets in therapy", "Understood as “Can my pet come?”"), ("Trained on the server", "nderstood")):
        page.get_by_role("textbox", name="Sentence").fill("could I take a pet to see my therapist")
        releases.select_option(label=next(text for text in releases.locator("option").all_inner_texts() if release in text))
        with page.expect_navigation(timeout=120_000):  # a model is loaded
            page.get_by_role("button", name="Ask").click()
        expect(releases.locator("option:checked")).to_contain_text(release)
        expect(why.get_by_role("heading", level=2)).to_contain_text(understood)
    expect(why.get_by_role("heading", level=2)).not_to_contain_text("Can my pet come?")


def test_why_explains_a_sentence_and_a_turn_of_yesterday(stage: Stage, staff: Staff) -> None:
    yesterday = time.time() - 86400
    stage.journal.turn("YY11-YY11", "greet", ["utter_greet"], conversation="y", at=yesterday)
    stage.journal.turn("YY11-YY12", "faq_cost", ["utter_faq_cost"], conversation="y", at=yesterday + 5, release=stage.live.serving())
    page = staff.member("Wim Why", "editor")
    page.goto(stage.studio.url + "/why")
    page.get_by_label("Reference code").fill("yy11-yy12")
    page.get_by_role("button", name="Ask").click()
    turn = page.get_by_role("region", name="Turn YY11-YY12")
    expect(turn).to_contain_text("Understood as “What does it cost?”, very sure")
    expect(turn).to_contain_text("By the rule “What does it cost?”")
    page.get_by_role("textbox", name="Sentence").fill("what will I have to pay for an hour")
    page.get_by_role("button", name="Ask").click()
    why = page.get_by_role("region", name="Understood as “What does it cost?”")
    expect(why.get_by_role("listitem").first).to_contain_text("alike")
    picture(page, "why")
    page.get_by_role("link", name="Make the conversation a story").click()
    expect(page.get_by_label("Name")).to_have_value("Conversation YY11-YY12")
    page.get_by_label("Name").fill("hello, then the cost")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".talk")).to_contain_text("“What does it cost?”")
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("It goes as written")).to_be_visible(timeout=180_000)
    picture(page, "story")
    page.get_by_label("Turn 4", exact=True).select_option(label="Assistant: “Goodbye”")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("main")).to_contain_text("Turn 2 differs, after “What does it cost?”")
    expect(page.get_by_role("main")).to_contain_text("Expected: “Goodbye”. Found: “What does it cost?”.")


@pytest.mark.parametrize("width", [1280, 320])
def test_no_page_breaks_a_rule_of_accessibility(built: Path, stage: Stage, staff: Staff, width: int) -> None:
    stage.journal.turn("TT11-TT1" + str(width)[0], "faq_cost", ["utter_faq_cost"])
    if width > 400:
        stage.weeks_of_use()
    page = staff.member(f"Axel {'Wide' if width > 400 else 'Narrow'}", "administrator+safety")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    for path in PAGES:
        page.goto(stage.studio.url + path.replace("TT11-TT11", "TT11-TT1" + str(width)[0]))
        page.wait_for_load_state("networkidle")
        if width > 400 and path in ("/safety", "/numbers"):
            picture(page, path[1:])
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found += [f"{path}: {problem}" for problem in violations(page)]
        if width == 320 and page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{path}: scrolls sideways at {width} px")  # WCAG 1.4.10
    page.get_by_role("button", name="Log out").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found += violations(page)
    assert found == []
