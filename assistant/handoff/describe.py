"""How the assistant says what it searched for and whom it found."""
from __future__ import annotations

from typing import Any, Collection, Dict, Sequence

from assistant.directory.model import Found, Query
from assistant.handoff.form import Search
from assistant.vocabulary import Vocabulary

FORMAT_WORDS = {"online": "online", "in_person": "in person"}


def describe(query: Query, vocabulary: Vocabulary, only: Collection[str] = ("location", "session_format", "concern", "audience")) -> str:
    """Return the query in words: "therapists near Leeds who work with anxiety, in person"; `only` limits the filters."""
    words = ["therapists"]
    if query.session_format == "online" and "session_format" in only:
        words = ["online therapists"]
    if query.audience and "audience" in only:
        words.append(f"for {vocabulary.label('audience', query.audience)}")
    if query.place and "location" in only:
        words.append(f"{'in' if query.place.kind == 'county' else 'near'} {query.place.label.replace(', near ', ' by ')}")
    if query.session_format == "in_person" and "session_format" in only:
        words.append("who see people in person" + (" and" if query.concern and "concern" in only else ""))
    if query.concern and "concern" in only:
        in_person = query.session_format == "in_person" and "session_format" in only
        words.append(("" if in_person else "who ") + f"work with {vocabulary.label('concern', query.concern)}")
    return " ".join(words)


def noted(search: Search, vocabulary: Vocabulary) -> str:
    """Return the facts that the last turn brought: "York, online", or ""."""
    values = {"location": search.location, "session_format": FORMAT_WORDS.get(str(search.session_format)),
              "concern": vocabulary.label("concern", search.concern) if "concern" in search.noted and search.concern else None}
    said = ", ".join(str(values[slot]) for slot in ("location", "session_format", "concern") if slot in search.noted)
    return said[:1].upper() + said[1:]


def card(found: Found) -> Dict[str, Any]:
    """Return a therapist as a card: texts to show, and the profile's address."""
    therapist = found.therapist
    return {
        "name": therapist.name,
        "title": therapist.title,
        "town": therapist.town,
        "distance": _distance(found),
        "formats": joined([FORMAT_WORDS[value] for value in therapist.formats]),
        "audiences": joined(therapist.audiences),
        "languages": joined(therapist.languages),
        "fee": _fee(found),
        "register": f"{therapist.register} {therapist.register_number}",
        "accepting": "Taking new clients" if therapist.accepting else "Not taking new clients at the moment",
        "url": therapist.url,
    }


def joined(parts: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    return f" {last} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def unapplied(wishes: Sequence[str], vocabulary: Vocabulary) -> str:
    """Return the wishes that no filter serves: "days and times or price"."""
    return joined([vocabulary.label("wish", wish) for wish in wishes], "or")


def _distance(found: Found) -> str:
    if found.miles is None:
        return ""
    miles = round(found.miles)
    length = "less than a mile" if miles < 1 else "1 mile" if miles == 1 else f"{miles} miles"
    return f"about {length}" if found.about and miles >= 1 else length


def _fee(found: Found) -> str:
    low, high = found.therapist.fee_from, found.therapist.fee_to
    if low is None or high is None:
        return "" if low is None and high is None else f"from £{low}" if low is not None else f"up to £{high}"
    return f"£{low}" if low == high else f"£{low} to £{high}"
