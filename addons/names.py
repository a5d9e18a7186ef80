"""Names that several of the adapters share."""

CRISIS = "crisis"  # the internal intent of a person at risk
# Metadata of a message that the gateway has checked; a crisis never gets past it.
CHECKED = "safety_checked"
