"""Everything that the pages use, put together once at the start."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from sqlalchemy.engine import Engine

from assistant import secrets
from assistant.content.site import load_site
from assistant.errors import AssistantError
from assistant.settings import ROOT, Settings
from studio.audit import Audit
from studio.people import People
from studio.repository import Repository
from studio.schema import open_database
from studio.sessions import Sessions
from studio.topics import Topics


@dataclass
class Services:
    """The parts of a running studio."""

    settings: Settings
    root: Path
    engine: Engine
    people: People
    sessions: Sessions
    audit: Audit
    repository: Repository
    topics: Topics
    internal_token: str

    @property
    def site_name(self) -> str:
        """The name of the site, for the pages' titles; content that is broken must not close the studio."""
        try:
            return load_site(self.root).name
        except AssistantError:
            return "the assistant"


def open_services(settings: Settings, root: Optional[Path] = None) -> Services:
    """Open databases and repository; the content below `root` (default: this checkout) is what staff edit."""
    root = root or ROOT
    engine = open_database(settings.var / "studio.db")
    people = People(engine)
    repository = Repository(root)
    return Services(
        settings=settings,
        root=root,
        engine=engine,
        people=people,
        sessions=Sessions(engine, people, secrets.key("studio log-in", settings)),
        audit=Audit(engine),
        repository=repository,
        topics=Topics(repository),
        internal_token=secrets.internal_token(settings),
    )
