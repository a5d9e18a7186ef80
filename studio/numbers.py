"""Figures of the last weeks, by week, without any text: counted from the journal's turns, drawn as SVG by pygal."""
from __future__ import annotations

import datetime
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import pygal
from pygal.style import Style

from studio.words import LONDON

WEEKS = 8
NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
SEARCH = "find_therapist"
SERIES = {
    "answered": "Answered", "not_understood": "Not understood", "handed_over": "Search or therapist opened", "helpful": "Marked helpful",
    "unhelpful": "Marked unhelpful", "crisis": "Urgent help shown", "failed": "No answer, system down",
}
CHARTS = {
    "answers": ("Answered and not understood", ("answered", "not_understood", "failed")),
    "handoffs": ("Search or therapist opened", ("handed_over",)),
    "feedback": ("Helpful and unhelpful", ("helpful", "unhelpful")),
    "crisis": ("Urgent help shown", ("crisis",)),
}


@dataclass
class Figures:
    """Counts by week, oldest first, and questions by topic."""

    weeks: List[datetime.date]  # Mondays
    series: Dict[str, List[int]]
    topics: List[Tuple[str, int]] = field(default_factory=list)  # (intent, times asked), most first


def start_of(weeks: int, today: datetime.date) -> datetime.date:
    """Return the Monday with which the last `weeks` weeks begin."""
    return today - datetime.timedelta(days=today.weekday(), weeks=weeks - 1)


def count(turns: Iterable[Any], handed_over: Mapping[datetime.date, int], today: datetime.date, weeks: int = WEEKS) -> Figures:
    """Return the figures of the last weeks. `turns` have at, outcome, intent, actions, level, helpful; `handed_over` is by day."""
    first = start_of(weeks, today)
    mondays = [first + datetime.timedelta(weeks=number) for number in range(weeks)]
    figures = Figures(mondays, {name: [0] * weeks for name in SERIES})
    asked: Counter[str] = Counter()

    def note(day: datetime.date, name: str, number: int = 1) -> None:
        week = (day - first).days // 7
        if 0 <= week < weeks:
            figures.series[name][week] += number

    for turn in turns:
        day = datetime.datetime.fromtimestamp(turn.at, LONDON).date()
        note(day, _kind(turn))
        if turn.helpful is not None:
            note(day, "helpful" if turn.helpful else "unhelpful")
        if turn.outcome == "rasa":
            asked.update(_topics(turn))
    for day, number in handed_over.items():
        note(day, "handed_over", number)
    figures.topics = asked.most_common()
    return figures


def _kind(turn: Any) -> str:
    if turn.level == "crisis":
        return "crisis"
    if turn.outcome == "unavailable":
        return "failed"
    return "not_understood" if turn.intent in NOT_UNDERSTOOD else "answered"


def _topics(turn: Any) -> List[str]:
    """Return the topics that a turn asked about: several questions count each."""
    if turn.intent == "multi_question":
        return [name[len("utter_"):] for name in json.loads(turn.actions) if name.startswith("utter_faq_")]
    return [turn.intent] if turn.intent.startswith("faq_") or turn.intent == SEARCH else []


def chart(title: str, weeks: Sequence[datetime.date], series: Mapping[str, Sequence[int]]) -> bytes:
    """Return a small bar chart as SVG."""
    style = Style(
        background="transparent", plot_background="transparent", foreground="#20302f", foreground_strong="#20302f",
        foreground_subtle="#51625f", colors=("#1f5c57", "#c77700", "#8f1d1d"), font_family="sans-serif", label_font_size=13,
        title_font_size=16, legend_font_size=13, value_font_size=12,
    )
    drawn = pygal.Bar(
        style=style, width=560, height=300, legend_at_bottom=True, show_legend=len(series) > 1, js=[], title=title, margin=8,
        y_labels=_ticks(max((value for values in series.values() for value in values), default=0)), explicit_size=True, spacing=12,
        include_x_axis=True, value_formatter=lambda value: f"{value:.0f}",
    )
    drawn.add_xml_filter(_without_scripts)
    drawn.x_labels = [f"{week.day} {week:%b}" for week in weeks]
    for name, values in series.items():
        drawn.add(name, list(values))
    return bytes(drawn.render())


def _ticks(most: int) -> List[int]:
    """Return whole numbers from 0 to `most` or a little more, five at most."""
    step = max(1, -(-most // 4))
    return list(range(0, max(most, 1) + step, step))


def _without_scripts(root: Any) -> Any:
    """Take out the scripts that pygal writes even when it is told to use none."""
    for parent in root.iter():
        for child in [child for child in parent if str(child.tag).endswith("script")]:
            parent.remove(child)
    return root
