"""Names that several of the adapters share."""

CRISIS = "crisis"  # the internal intent of a person at risk
# Metadata of a message that the gateway has checked; a crisis never gets past it.
CHECKED = "safety_checked"
SEVERAL = "multi_question"
SEARCH_FORM = "search_form"
# Where the components note on a message what policies and replies need. The name is Rasa's: of all that
# is noted on a message, `rasa test` hands only this on.
UNDERSTOOD = "response_selector"
# The last button under "did you mean".
NONE_OF_THESE = {"title": "None of these", "payload": "/deny"}
