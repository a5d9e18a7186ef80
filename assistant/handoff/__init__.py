"""The therapist search as a conversation: what a turn means for it, and what the reply says. Knows neither Rasa nor the web."""
from assistant.handoff.describe import card, describe, noted, unapplied
from assistant.handoff.form import QUESTIONS, Search, next_question, query_of, slots_of, take
from assistant.handoff.turn import Turn, continues_search, during_search, is_answer, names_a_search

__all__ = [
    "QUESTIONS", "Search", "Turn", "card", "continues_search", "describe", "during_search", "is_answer", "names_a_search",
    "next_question", "noted", "query_of", "slots_of", "take", "unapplied",
]
