"""Rasa's model follows the released one (`models:` in endpoints.yml), without a pause and without growing.

Rasa itself loads a pulled model inside its event loop, where every visitor waits for it, pulls a broken one again and
again, and has none at all while the store is away. Here it is loaded in a thread, tried out, and put in place between two
turns; a refused one is not pulled again; and a server that starts while the store is away takes what is on its own disk.
"""
import asyncio
import gc
import logging
from pathlib import Path
from typing import Optional, Text

from rasa.core import agent as core
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.processor import MessageProcessor
from rasa.utils.common import TempDirectoryPath, get_temp_dir_name
from rasa.utils.endpoints import EndpointConfig

from assistant.memory import give_back
from assistant.release import etag, newest, unpack
from assistant.settings import Settings

logger = logging.getLogger(__name__)

# A store that hangs holds up neither the start nor the next look for longer; an archive of 40 MB takes a second on loopback.
PULL_SECONDS = 30


def follow(settings: Settings) -> None:
    """See to it that this process's agent follows the released model; to be called before the server starts."""

    async def update(model_server: EndpointConfig, agent: Agent) -> None:
        with TempDirectoryPath(get_temp_dir_name()) as folder:
            tag = await _pulled(model_server, agent, folder)
            archive = next(Path(folder).glob("*.gz"), None) if tag else None
            if archive is None and agent.processor is None:
                archive = newest(settings)
                tag = etag(archive) if archive else None
            if archive is not None:
                await _take(agent, archive, tag, Path(folder) / "parts")

    core.DEFAULT_REQUEST_TIMEOUT = PULL_SECONDS
    core._update_model_from_server = update
    # The scheduler warns when a look is still under way at the time of the next: nothing to worry about.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # What is loaded by now stays for good: collecting the rest after a change then takes 40 ms, not 400.
    gc.freeze()


async def _pulled(model_server: EndpointConfig, agent: Agent, folder: Text) -> Optional[Text]:
    """Return the tag of a newer model that was saved in `folder`, or None when there is none or the store is away."""
    try:
        return await core._pull_model_and_fingerprint(model_server, agent.fingerprint, folder)
    except Exception as error:
        logger.warning("The release store does not answer (%s).", type(error).__name__)
        return None


async def _take(agent: Agent, archive: Path, tag: Optional[Text], parts: Path) -> None:
    """Put the model in place when it works; else the one in force stays."""
    try:
        processor = await asyncio.get_running_loop().run_in_executor(None, _loaded, agent, archive, parts)
        await processor.parse_message(UserMessage("hello"))
    except Exception as error:  # whatever a broken archive raises
        logger.error("The released model is refused, and the one in force stays: %s: %s", type(error).__name__, error)
    else:
        agent.processor, agent.domain = processor, processor.domain
        agent.tracker_store.domain = processor.domain
        if isinstance(agent.nlg, TemplatedNaturalLanguageGenerator):
            agent.nlg.responses = processor.domain.responses
        del processor
        give_back()
    agent._set_fingerprint(tag)


def _loaded(agent: Agent, archive: Path, parts: Path) -> MessageProcessor:
    """Return a processor with the model, refused where the gateways would refuse it. Raises ModelError and Rasa's errors."""
    unpack(archive, parts)
    return MessageProcessor(
        model_path=archive, tracker_store=agent.tracker_store, lock_store=agent.lock_store, action_endpoint=agent.action_endpoint,
        generator=agent.nlg, http_interpreter=agent.http_interpreter,
    )
