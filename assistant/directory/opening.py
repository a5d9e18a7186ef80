"""Opens the directory that the settings name."""
from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from assistant.directory.http import HTTPDirectory
from assistant.directory.importing import fingerprint, import_directory
from assistant.directory.model import RADII, Directory, Query, Results
from assistant.directory.store import SQLiteDirectory, sample_source
from assistant.errors import DirectoryError
from assistant.places import Gazetteer
from assistant.settings import ROOT, Settings

SAMPLE = ROOT / "data" / "directory" / "therapists.csv"


def directory_path(settings: Settings) -> Path:
    """Return where the imported directory stands."""
    return settings.var / "directory.sqlite"


def open_directory(settings: Settings) -> Directory:
    """Return the directory to search.

    Without an imported one it is the shipped sample, which is served on loopback only: elsewhere its searches raise
    DirectoryError, so that the visitor gets the link. Raises SettingsError for a malformed HTTP directory.
    """
    gazetteer = Gazetteer.load(settings)
    if settings.directory_backend == "http":
        return HTTPDirectory(settings, gazetteer)
    path = directory_path(settings)
    if sample_source(path) not in ("", fingerprint(SAMPLE)):
        import_directory(SAMPLE, path, gazetteer)
    directory = SQLiteDirectory(path)
    return directory if on_loopback(settings) else NoSamples(directory)


def on_loopback(settings: Settings) -> bool:
    """Whether the assistant can be reached from this machine alone."""
    hosts = [settings.gateway_host] + ([urlsplit(settings.public_url).hostname or ""] if settings.public_url else [])
    return all(map(_is_loopback, hosts))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class NoSamples:
    """A directory that does not show invented entries."""

    def __init__(self, directory: SQLiteDirectory) -> None:
        """Wrap `directory`."""
        self._directory = directory

    async def search(self, query: Query, limit: int, offset: int = 0, radius: int = RADII[0]) -> Results:
        """See Directory."""
        results = await self._directory.search(query, limit, offset, radius)
        if results.sample:
            raise DirectoryError("Only the sample directory is there. Run `make import-directory FILE=…`.")
        return results
