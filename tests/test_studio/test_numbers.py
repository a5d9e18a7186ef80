"""The figures: what is counted as what, by week, and no text anywhere."""
from __future__ import annotations

import datetime
import json
from types import SimpleNamespace

import pytest
from journal_rows import JournalFile

from assistant.directory.counts import Counts
from studio.numbers import CHARTS, _ticks, chart, count, start_of
from studio.words import LONDON

TODAY = datetime.date(2025, 6, 18)  # a Wednesday


def turn(day, **values):
    at = datetime.datetime.combine(day, datetime.time(12), LONDON).timestamp()
    return SimpleNamespace(**{"at": at, "outcome": "rasa", "intent": "faq_cost", "actions": "[]", "level": "none", "helpful": None, **values})


def test_weeks_begin_on_mondays():
    assert start_of(8, TODAY) == datetime.date(2025, 4, 28)
    assert start_of(1, datetime.date(2025, 6, 16)) == datetime.date(2025, 6, 16)


@pytest.mark.parametrize("values, series", [
    ({}, "answered"), ({"intent": "nlu_fallback"}, "not_understood"), ({"intent": "out_of_scope"}, "not_understood"),
    ({"level": "crisis", "outcome": "crisis"}, "crisis"), ({"outcome": "unavailable", "intent": ""}, "failed"),
])
def test_turn_counts_once_as_what_it_was(values, series):
    figures = count([turn(TODAY, **values)], {}, TODAY)
    assert {name: sum(numbers) for name, numbers in figures.series.items() if sum(numbers)} == {series: 1}
    assert figures.series[series][-1] == 1


def test_feedback_hand_offs_and_old_turns():
    figures = count(
        [turn(TODAY, helpful=True), turn(TODAY - datetime.timedelta(days=7), helpful=False), turn(TODAY - datetime.timedelta(days=100))],
        {TODAY: 3, TODAY - datetime.timedelta(days=8): 2}, TODAY,
    )
    assert figures.series["helpful"][-2:] == [0, 1] and figures.series["unhelpful"][-2:] == [1, 0]
    assert figures.series["handed_over"][-2:] == [2, 3] and sum(figures.series["answered"]) == 2


def test_topics_are_ranked_and_several_questions_count_each():
    several = turn(TODAY, intent="multi_question", actions=json.dumps(["utter_faq_nhs", "utter_faq_cost"]))
    figures = count([turn(TODAY), turn(TODAY, intent="greet"), several, turn(TODAY, intent="find_therapist")], {}, TODAY)
    assert figures.topics == [("faq_cost", 2), ("faq_nhs", 1), ("find_therapist", 1)]


def test_chart_is_an_image_without_scripts():
    drawn = chart("Title", [TODAY, TODAY], {"One": [1, 2], "Other": [0, 5]})
    assert drawn.startswith(b"<?xml") and b"<svg" in drawn and b"<script" not in drawn and b"http://kozea" not in drawn


@pytest.mark.parametrize("most, ticks", [(0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (22, [0, 6, 12, 18, 24])])
def test_axis_has_whole_numbers(most, ticks):
    assert _ticks(most) == ticks


def test_page_shows_figures_hand_offs_and_searches_without_result_but_no_text(own_studio):
    studio = own_studio()
    journal = JournalFile(studio.settings.var)
    journal.turn("AA11-AA11", "faq_cost", ["utter_faq_cost"])
    journal.message("words of a visitor")
    counts = Counts(studio.settings)
    for _ in range(6):
        counts.add("clicked")
        counts.add("none", area="LS", concern="anxiety")
    counts.add("none", area="BD", concern="grief")
    ada = studio.person("Ada", "editor")
    page = ada.get("/numbers").text
    assert "What does it cost?" in page and "Searches without a result" in page and "words of a visitor" not in page
    assert "<td>LS</td><td>anxiety</td><td class=\"number\">6</td>" in page and "fewer than 5" in page
    for name in CHARTS:
        drawn = ada.get(f"/numbers/chart/{name}")
        assert drawn.headers["Content-Type"] == "image/svg+xml" and drawn.content.startswith(b"<?xml")
        assert "script-src" not in drawn.headers["Content-Security-Policy"]
    assert ada.get("/numbers/chart/nothing").status_code == 404
