"""The released model as the gateway sees it: safety check, replies with their helplines, version. Changed while visitors write.

The release store's current release counts, pulled as Rasa pulls it. A gateway that starts while the store does not answer takes
what came last to its machine; without any model the safety data of this checkout. A release that does not work is refused.
"""
from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import aiohttp

from assistant.encoder import Encoder
from assistant.errors import AssistantError, ModelError
from assistant.memory import give_back
from assistant.release import PULLED, etag, newest, unpack
from assistant.safety import Replies, SafetyCheck
from assistant.secrets import internal_token
from assistant.settings import ROOT, Settings

log = logging.getLogger("gateway")

CHECKOUT = "unreleased"
PLAIN_CRISIS, PLAIN_QUESTION = "I want to die", "How much does it cost?"
PULL_SECONDS = 30.0


@dataclass(frozen=True)
class View:
    """What of one release the gateway uses; replaced as a whole, never in part."""

    version: str
    safety: SafetyCheck
    replies: Replies


class Release:
    """The release in force. Calling it returns its View."""

    def __init__(self, settings: Settings, view: Optional[View] = None) -> None:
        """Load what is on this machine; `view` is used instead, for good (tests). Raises ContentError, EncoderError."""
        self._settings, self._fixed = settings, view is not None
        self._tag = ""  # of the release that was looked at last, whether it was taken or refused
        self._view = view or self._first()

    def __call__(self) -> View:
        """Return the view of the release in force."""
        return self._view

    async def follow(self) -> None:
        """Take a newer release into force, if there is one; it is read in a thread, beside the work."""
        if self._fixed:
            return
        draft = self._settings.var / f".{PULLED}.{os.getpid()}"
        try:
            if await self._pull(draft):
                self._view = await asyncio.get_running_loop().run_in_executor(None, self._taken, draft)
                log.info("release %s is in force", self._view.version)
        except AssistantError as error:
            log.error("%s The release in force stays.", error)
        except (aiohttp.ClientError, asyncio.TimeoutError):
            pass  # the store is away: it is asked again, and /health/ready tells what is served
        finally:
            draft.unlink(missing_ok=True)

    async def _pull(self, target: Path) -> bool:
        """Save the store's current release as `target` unless it is known; return whether it was saved."""
        headers = {"Authorization": f"Bearer {internal_token(self._settings)}", "If-None-Match": self._tag}
        timeout = aiohttp.ClientTimeout(total=PULL_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self._settings.models_url, headers=headers) as response:
            tag = response.headers.get("ETag", "")
            if response.status != 200 or tag == self._tag:
                return False
            with open(target, "wb") as file:
                async for block in response.content.iter_chunked(1 << 20):
                    file.write(block)
        self._tag = tag  # noted before it is read, so that a broken one is not pulled again and again
        return True

    def _taken(self, draft: Path) -> View:
        """Return the view of a pulled release, and keep its archive for the next start."""
        view = read(draft, self._settings)
        os.replace(draft, self._settings.var / PULLED)
        give_back()
        return view

    def _first(self) -> View:
        archive = newest(self._settings)
        if archive is not None:
            try:
                self._tag = etag(archive)
                return read(archive, self._settings)
            except (AssistantError, OSError) as error:
                log.error("%s The safety data of this checkout are used.", error)
        return checkout(self._settings)


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
