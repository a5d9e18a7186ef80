"""Everything that the pages use, put together once at the start."""
from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from sqlalchemy.engine import Engine

from assistant import secrets
from assistant.content.site import load_site
from assistant.encoder import Encoder
from assistant.errors import AssistantError
from assistant.journal import journal_url
from assistant.settings import ROOT, Settings
from studio.audit import Audit
from studio.changes import model_changes
from studio.inbox import Inbox
from studio.journal import Journal
from studio.labs import Labs
from studio.live import Live
from studio.meaning import Meaning
from studio.models_open import OpenModels
from studio.people import People
from studio.publisher import Publisher, model_version
from studio.releases import Releases
from studio.repository import Repository
from studio.safety_files import Proposals
from studio.schema import open_database
from studio.sessions import Sessions
from studio.stories import Stories
from studio.topics import Topics

LOG = logging.getLogger("studio")
WARM_UP_BATCH = 128  # phrasings at a time: the end must not wait for all


@dataclass(frozen=True)
class Model:
    """A trained model with the files it was made from."""

    name: str
    archive: Path
    checkout: Path


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
    journal: Journal
    meaning: Meaning
    inbox: Inbox
    releases: Releases
    publisher: Publisher
    proposals: Proposals
    stories: Stories
    live: Live
    labs: Labs
    open_models: OpenModels
    internal_token: str
    _warming: Optional[threading.Thread] = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def meaning_is_ready(self) -> bool:
        """Return whether all phrasings are embedded; if not, begin with it beside."""
        examples = [example for topic in self.topics.readable()[0] for example in topic.examples]
        if self.meaning.knows(examples):
            return True
        self.warm_up()
        return False

    def warm_up(self) -> None:
        """Embed all phrasings in a thread of its own, so that later comparisons are immediate."""
        if self._warming is None or not self._warming.is_alive():
            self._warming = threading.Thread(target=self._warm_up, daemon=True, name="studio-meaning")
            self._warming.start()

    def _warm_up(self) -> None:
        examples = [example for topic in self.topics.readable()[0] for example in topic.examples]
        try:
            for start in range(0, len(examples), WARM_UP_BATCH):
                if self._closing.is_set():
                    return
                self.meaning.embed(examples[start:start + WARM_UP_BATCH], keep=True)
            self.meaning.store(examples)
        except AssistantError as error:
            LOG.warning("phrasings cannot be compared: %s", error)

    def draft_model(self) -> Optional[Model]:
        """Return a model of what is saved now, or None when it has to be prepared first."""
        head, live = self.repository.head(), self.releases.current()
        if live is not None and self.repository.has(live.commit) and not model_changes(self.repository, live.commit, head):
            return self.model_of(live.id)
        built = self.publisher.builder.like(head)
        return Model("the draft", built.archive, built.checkout) if built else None

    def model_to_try(self) -> Optional[Model]:
        """Return the draft's model, else the live one, else None."""
        return self.draft_model() or self.model_of("")

    def model_of(self, chosen: str) -> Optional[Model]:
        """Return the model of a release by id or version; "draft" is the draft, "" the live release."""
        if chosen == "draft":
            return self.draft_model()
        release = self.releases.get(chosen) if chosen else self.releases.current()
        if release is None:
            return None
        checkout = self.publisher.builder.export(release.commit).checkout if self.repository.has(release.commit) else self.root
        return Model(f"the release “{release.note}”", self.releases.archive(release.id), checkout)

    def adopt(self) -> None:
        """Take the model that `make train` left behind as the current release, unless it is known already."""
        archive = self.settings.models / "assistant.tar.gz"
        if not archive.is_file():
            return
        try:
            self.releases.adopt(archive, model_version(archive), self._commit())
        except AssistantError as error:
            LOG.warning("the trained model is not taken up: %s", error)

    def _commit(self) -> str:
        """Return the commit that the files are of, or "" when they are of none: changed by hand, or not in git."""
        try:
            return "" if self.repository.uncommitted("data", "domain.yml", "config.yml") else self.repository.head()
        except AssistantError:
            return ""

    def close(self) -> None:
        """Let go of everything at the end."""
        self._closing.set()
        self.publisher.close()
        self.labs.close()
        if self._warming is not None:
            self._warming.join()
        self.engine.dispose()

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
    people, repository, journal = People(engine), Repository(root), Journal(journal_url(settings))
    token = secrets.internal_token(settings)
    topics, releases, live = Topics(repository), Releases(settings.var / "releases"), Live(settings, token)
    meaning = Meaning(settings.var / "studio-meaning.npz", lambda: Encoder.load(settings))
    return Services(
        settings=settings,
        root=root,
        engine=engine,
        people=people,
        sessions=Sessions(engine, people, secrets.key("studio log-in", settings)),
        audit=Audit(engine),
        repository=repository,
        topics=topics,
        journal=journal,
        meaning=meaning,
        inbox=Inbox(engine, journal, topics, repository, meaning),
        releases=releases,
        publisher=Publisher(settings, repository, releases, topics.labels, live),
        proposals=Proposals(engine, repository, people),
        stories=Stories(repository),
        live=live,
        labs=Labs(settings),
        open_models=OpenModels(settings),
        internal_token=token,
    )
