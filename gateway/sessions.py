"""Session tokens: signed, short-lived, made anew on each use. No store is needed to check one."""
from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from gateway.errors import Refusal

_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Session:
    """A conversation, the token that opens it, and the time (seconds since 1970) when the token ends."""

    conversation: str
    token: str
    expires_at: int


class Sessions:
    """Makes and checks tokens (HMAC-SHA256 over the conversation's id and the time, by itsdangerous)."""

    def __init__(self, key: bytes, minutes: int) -> None:
        self._seconds = minutes * 60
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._signer = URLSafeTimedSerializer(key, salt="session", signer_kwargs=options)

    def start(self) -> Session:
        """Return a session for a new conversation."""
        return self.renew(secrets.token_hex(16))

    def renew(self, conversation: str) -> Session:
        """Return a fresh token for `conversation`."""
        return Session(conversation, str(self._signer.dumps(conversation)), int(time.time()) + self._seconds)

    def conversation(self, authorization: str) -> str:
        """Return the conversation that an Authorization header opens. Raises Refusal (401)."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            raise _refused("no_token", "Send the session's token as Authorization: Bearer.")
        try:
            value = self._signer.loads(token.strip(), max_age=self._seconds)
        except SignatureExpired:
            raise _refused("session_expired", "The session has ended. Start a new one.") from None
        except BadSignature:
            raise _refused("bad_token", "The token is not valid. Start a new session.") from None
        if not isinstance(value, str) or not _ID.match(value):
            raise _refused("bad_token", "The token is not valid. Start a new session.")
        return value


def _refused(code: str, message: str) -> Refusal:
    return Refusal(401, code, message, headers={"WWW-Authenticate": "Bearer"})
