"""Rows of the gateway's journal, written as the gateway writes them."""
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.schema import feedback, inbox, metadata, review, turns


class JournalFile:
    """A journal on SQLite at the place where a studio looks for it."""

    def __init__(self, var: Path) -> None:
        self.engine = sa.create_engine(f"sqlite:///{var / 'journal.db'}", connect_args={"timeout": 10})
        metadata.create_all(self.engine)
        self._number = 0

    def message(self, text: str, reason: str = "not_understood", queue: str = "inbox", **values: Any) -> str:
        """Write a row of the inbox or the review queue and return its reference."""
        self._number += 1
        row = {
            "reference": f"AB{self._number:02d}-XY{self._number:02d}",
            "reason": reason,
            "conversation": "c1",
            "at": time.time(),
            "text": text,
            "intent": "nlu_fallback",
            "scores": json.dumps([{"intent": "faq_cost", "confidence": 0.4}]),
            "level": "none",
            "detector": "",
            "score": 0.01,
            "release": "r1",
            "status": "new",
            **values,
        }
        self._write((inbox if queue == "inbox" else review).insert().values(**row))
        return str(row["reference"])

    def turn(self, reference: str, intent: str, actions: "list[str]", **values: Any) -> None:
        """Write a turn."""
        self._write(
            turns.insert().values(
                **{
                    "reference": reference,
                    "conversation": "c1",
                    "at": time.time(),
                    "channel": "web",
                    "outcome": "rasa",
                    "intent": intent,
                    "confidence": 0.9,
                    "alternatives": json.dumps([{"intent": intent, "confidence": 0.9}, {"intent": "faq_nhs", "confidence": 0.05}]),
                    "actions": json.dumps(actions),
                    "level": "none",
                    "detector": "",
                    "score": 0.0,
                    "release": "r1",
                    "milliseconds": 20,
                    **values,
                }
            )
        )

    def feedback(self, reference: str, helpful: bool) -> None:
        """Write what a visitor thought of a reply."""
        self._write(feedback.insert().values(message=reference, conversation="c1", reference=reference, helpful=helpful, at=time.time()))

    def statuses(self, queue: Any = inbox) -> "list[str]":
        with self.engine.connect() as connection:
            return [row.status for row in connection.execute(sa.select(queue.c.status).order_by(queue.c.id))]

    def forget(self, conversation: str) -> None:
        """Delete a conversation's rows, as delete_my_data does."""
        for table in (inbox, review, turns, feedback):
            self._write(table.delete().where(table.c.conversation == conversation))

    def _write(self, statement: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)
