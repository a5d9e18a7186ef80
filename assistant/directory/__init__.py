"""Who is there: one interface over two directories, the deep link, and the counts."""
from assistant.directory.link import DeepLink, deep_link
from assistant.directory.model import RADII, Directory, Found, Query, Results, Therapist
from assistant.directory.opening import open_directory

__all__ = ["RADII", "DeepLink", "Directory", "Found", "Query", "Results", "Therapist", "deep_link", "open_directory"]
