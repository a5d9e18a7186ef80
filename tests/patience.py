"""How long a test waits before "at once" has become "too late"; figures are measured in benchmarks, not here."""
import os


def within(seconds):
    """Return `seconds` times what a busy machine needs: at least twice, more where many processes wait for each core.

    What the tests tell apart are answers that wait for something that hangs (4 s and more) and answers that do not.
    """
    return seconds * max(2.0, 2.0 * os.getloadavg()[0] / (os.cpu_count() or 1))
