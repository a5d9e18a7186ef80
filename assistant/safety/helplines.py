"""The registry of helplines: read, checked, and chosen from (data/safety/helplines.yml, the only place for numbers)."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from zoneinfo import ZoneInfo

import yaml

from assistant.errors import ContentError

LONDON = ZoneInfo("Europe/London")
NATIONS = ("england", "scotland", "wales", "northern_ireland")
EMERGENCY = "emergency"  # for danger now: not offered where none was heard
FIRST = 3  # services that are shown before "more support"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS = {"all": _DAYS, "weekdays": _DAYS[:5], "weekends": _DAYS[5:]}


@dataclass(frozen=True)
class Service:
    """One service; a way in that it lacks is None. `hours`: weekday to minutes of opening and closing, None: unknown."""

    id: str
    name: str
    call: Optional[str]
    sms: Optional[str]
    sms_body: Optional[str]
    email: Optional[str]
    web: Optional[str]
    hours: Optional[Mapping[str, Tuple[int, int]]]
    hours_text: str
    nations: Tuple[str, ...]
    whom: str
    verified_on: Optional[date]

    def is_open(self, now: datetime) -> Optional[bool]:
        """Return whether the service is open at `now` (aware); None where its hours are not known."""
        if self.hours is None:
            return None
        local = now.astimezone(LONDON)
        minute = local.hour * 60 + local.minute
        opening, closing = self.hours.get(_DAYS[local.weekday()], (0, 0))
        before = self.hours.get(_DAYS[(local - timedelta(days=1)).weekday()], (0, 0))[1] - 1440  # past midnight
        return opening <= minute < closing or minute < before

    def serves(self, nation: Optional[str]) -> bool:
        """Whether it serves `nation`; where the nation is unknown, services of England count besides those of the UK."""
        return "uk" in self.nations or (nation or "england") in self.nations

    def as_message(self, now: datetime) -> Dict[str, Any]:
        """Return the service as the gateway sends it."""
        return {"id": self.id, "name": self.name, "call": self.call, "sms": self.sms, "sms_body": self.sms_body,
                "email": self.email, "web": self.web, "hours": self.hours_text, "for": self.whom, "open": self.is_open(now)}


class Helplines:
    """The registry, with the order in which services come for each need."""

    def __init__(self, services: Mapping[str, Service], order: Mapping[str, Any]) -> None:
        self.services = dict(services)
        self._order = order

    @classmethod
    def load(cls, folder: Path) -> "Helplines":
        """Read helplines.yml in `folder`; raises ContentError with the row and the field that is wrong."""
        path = folder / "helplines.yml"
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
            services = {key: _service(key, row) for key, row in raw["services"].items()}
            order = raw["order"]
            lists = [order["child"], order["concern"], order["card"], *order["topics"].values(), *order["categories"].values()]
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise ContentError(f"helplines.yml: cannot be read: {' '.join(repr(error).split())}. Restore it from git.") from error
        unknown = sorted({name for names in lists for name in names} - set(services))
        if unknown:
            raise ContentError(f"helplines.yml: order: there is no service {', '.join(unknown)}. Services: {', '.join(services)}.")
        return cls(services, order)

    def choose(self, *, category: str, topic: str = "", child: bool = False, concern: bool = False,
               now: Optional[datetime] = None, nation: Optional[str] = None) -> List[Service]:
        """Return at most three services: those that serve `nation` and are not closed, in the order for the need."""
        if child:
            names: Sequence[str] = self._order["child"]
        elif topic in self._order["topics"]:
            names = self._order["topics"][topic]
        elif concern and category != "third_party":
            names = self._order["concern"]
        else:
            names = self._order["categories"].get(category, self._order["concern"])
        moment = now or datetime.now(LONDON)
        fitting = [one for one in (self.services[name] for name in names) if one.serves(nation) and not (concern and one.id == EMERGENCY)]
        chosen = [one for one in fitting if one.is_open(moment) is not False][:FIRST]
        return _with_other_ways(chosen, fitting, moment)

    def card(self, now: Optional[datetime] = None, nation: Optional[str] = None) -> List[Service]:
        """Return every service of the help card: those for `nation` first."""
        named = [self.services[name] for name in self._order["card"]]
        return sorted(named, key=lambda one: not one.serves(nation))


def _with_other_ways(chosen: List[Service], fitting: Sequence[Service], now: datetime) -> List[Service]:
    """See that one of three services takes texts: not everybody can speak where they are."""
    if len(chosen) < FIRST or any(one.sms for one in chosen):
        return chosen
    texts = [one for one in fitting if one.sms and one.is_open(now) is not False]
    return [*chosen[:FIRST - 1], texts[0]] if texts else chosen


def _service(key: str, row: Mapping[str, Any]) -> Service:
    def text(name: str) -> Optional[str]:
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            raise ContentError(f"helplines.yml: {key}: {name}: {value!r} is not a text. Put it in quotes.")
        return value or None

    verified = row.get("verified_on")
    if verified is not None and not isinstance(verified, date):
        raise ContentError(f"helplines.yml: {key}: verified_on: {verified!r} is not a date. Write it as 2025-01-31, or null.")
    nations = tuple(row.get("nations") or ())
    if not nations or set(nations) - {"uk", *NATIONS}:
        raise ContentError(f"helplines.yml: {key}: nations: {list(nations)}. Give uk, or some of {', '.join(NATIONS)}.")
    for name in ("name", "hours_text", "for"):
        if not row.get(name):
            raise ContentError(f"helplines.yml: {key}: {name} is missing. Every service needs it.")
    return Service(key, row["name"], text("call"), text("sms"), text("sms_body"), text("email"), text("web"),
                   _hours(key, row.get("hours")), row["hours_text"], nations, row["for"], verified)


def _hours(key: str, value: Any) -> Optional[Dict[str, Tuple[int, int]]]:
    if value is None:
        return None
    try:
        result: Dict[str, Tuple[int, int]] = {}
        for days, times in value.items():
            start, end = ("00:00", "24:00") if times == "24/7" else times.split("-")
            minutes = _minutes(start), _minutes(end)
            # A closing time before the opening time lies on the next day.
            span = minutes if minutes[1] > minutes[0] else (minutes[0], minutes[1] + 1440)
            result.update({day: span for day in _GROUPS.get(days, (days,))})
        if set(result) - set(_DAYS):
            raise ValueError
        return result
    except (AttributeError, ValueError):
        raise ContentError(f"helplines.yml: {key}: hours: {value!r}. Write it as {{weekdays: 09:00-17:00}}, or null.") from None


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
