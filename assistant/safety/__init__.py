"""Notices visitors at risk, and names the places where help is. See docs/safety.md."""
from assistant.safety.decide import SafetyCheck
from assistant.safety.helplines import Helplines
from assistant.safety.replies import Replies, Reply
from assistant.safety.verdict import CATEGORIES, LEVELS, Verdict

__all__ = ["CATEGORIES", "LEVELS", "Helplines", "Replies", "Reply", "SafetyCheck", "Verdict"]
