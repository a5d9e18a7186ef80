"""Links to the directory go by /r/<token>, which counts the click; the token is signed, so it leads nowhere else."""
from __future__ import annotations

import hashlib
from typing import Optional
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from itsdangerous import BadSignature, URLSafeSerializer


class Handoff:
    """Makes and resolves the addresses of counted links.

    `base` is the gateway's public address, `home` an address on the directory's site: only its links are counted.
    """

    def __init__(self, key: bytes, base: str, home: str) -> None:
        self._signer = URLSafeSerializer(key, salt="handoff", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})
        self._base, self._site = base, _site(home)

    def track(self, url: str, kind: str) -> str:
        """Return the counted address of `url`, or `url` itself when it leads to another site."""
        if _site(url) != self._site:
            return url
        return f"{self._base}/r/{self._signer.dumps([kind, url])}"

    def resolve(self, token: str) -> Optional[tuple[str, str]]:
        """Return (kind, address with ref=assistant) of a token, or None when it is not ours."""
        try:
            value = self._signer.loads(token)
        except BadSignature:
            return None
        if not (isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value)):
            return None
        parts = urlsplit(value[1])
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "ref"] + [("ref", "assistant")]
        return value[0], urlunsplit(parts._replace(query=urlencode(query)))


def _site(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return host[4:] if host.startswith("www.") else host
