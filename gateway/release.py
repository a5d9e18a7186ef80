"""The released model as the gateway sees it: safety check, replies with their helplines, version. Changed while visitors write.

The current release of the studio's store counts; before the first release the model of `make train`; without a model the safety
data of this checkout. A release that cannot be read leaves the one in force.
"""
from __future__ import annotations

import asyncio
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from assistant.encoder import Encoder
from assistant.errors import AssistantError, ModelError
from assistant.release import unpack
from assistant.safety import Replies, SafetyCheck
from assistant.settings import ROOT, Settings

log = logging.getLogger("gateway")

CHECKOUT = "unreleased"
PLAIN_CRISIS, PLAIN_QUESTION = "I want to die", "How much does it cost?"
Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class View:
    """What of one release the gateway uses; replaced as a whole, never in part."""

    version: str
    safety: SafetyCheck
    replies: Replies


class Release:
    """The release in force. Calling it returns its View."""

    def __init__(self, settings: Settings, view: Optional[View] = None) -> None:
        """Load what is current; `view` is used instead, for good (tests). Raises ContentError, EncoderError."""
        self._settings, self._fixed = settings, view is not None
        self._stamp: Optional[Stamp] = None
        self._view = view or self._first()

    def __call__(self) -> View:
        """Return the view of the release in force."""
        return self._view

    async def follow(self) -> None:
        """Take a newer release into force, if there is one; it is read in a thread, beside the work."""
        archive = None if self._fixed else current_archive(self._settings)
        if archive is None or _stamp(archive) == self._stamp:
            return
        self._stamp = _stamp(archive)  # a broken one is not read again and again
        try:
            self._view = await asyncio.get_running_loop().run_in_executor(None, read, archive, self._settings)
            log.info("release %s is in force", self._view.version)
        except AssistantError as error:
            log.error("%s The release in force stays.", error)

    def _first(self) -> View:
        archive = current_archive(self._settings)
        if archive is not None:
            self._stamp = _stamp(archive)
            try:
                return read(archive, self._settings)
            except AssistantError as error:
                log.error("%s The safety data of this checkout are used.", error)
        return checkout(self._settings)


def current_archive(settings: Settings) -> Optional[Path]:
    """Return the archive of the current release, else the trained model, else None."""
    store = settings.var / "releases"
    try:
        released = store / f"{(store / 'current').read_text(encoding='utf-8').strip()}.tar.gz"
        if released.is_file():
            return released
    except OSError:
        pass
    trained = settings.models / "assistant.tar.gz"
    return trained if trained.is_file() else None


def read(archive: Path, settings: Settings) -> View:
    """Return the view of a trained model, tried out. Raises ModelError, ContentError, EncoderError."""
    with tempfile.TemporaryDirectory(prefix="assistant-release-") as folder:
        release = unpack(archive, Path(folder) / "model")
        view = View(release.version, SafetyCheck.load(release.safety, Encoder.load(settings)), Replies.load(release.safety))
    prove(view)
    return view


def prove(view: View) -> None:
    """Try the view on two plain messages: a model of other code may load and yet not work. Raises ModelError."""
    try:
        crisis, calm = view.safety.check(PLAIN_CRISIS), view.safety.check(PLAIN_QUESTION)
        support = view.replies.answer(crisis).messages
    except Exception as error:
        raise ModelError(f"Model {view.version}: its safety check fails ({type(error).__name__}). Run `make train`.") from error
    if crisis.level != "crisis" or calm.level == "crisis" or not support:
        raise ModelError(f"Model {view.version}: its safety check does not tell a plain crisis from a plain question. Train anew.")


def checkout(settings: Settings, data: Path = ROOT / "data") -> View:
    """Return the safety data of this checkout, fitted once and kept in the cache folder. Raises ContentError, EncoderError."""
    folder = data / "safety"
    return View(CHECKOUT, SafetyCheck.fit(folder, Encoder.load(settings), cache=settings.cache), Replies.load(folder))


def _stamp(archive: Path) -> Stamp:
    try:
        status = archive.stat()
    except OSError:
        return str(archive), 0, 0
    return str(archive), status.st_ino, status.st_mtime_ns
