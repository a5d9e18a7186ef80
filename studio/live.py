"""The live assistant, asked by Rasa's channel on loopback."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any, Dict, Optional

from assistant.settings import Settings

LIVE_SECONDS = 8.0


class Live:
    """The live assistant, spoken to by Rasa's channel: nothing of it reaches the journal."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._url, self._token = f"{settings.rasa_url}/webhooks/assistant", token

    def serving(self) -> Optional[str]:
        """Return the version of the model that it serves, or None when it does not answer."""
        found = self._call("GET", "/", None, 2.0)
        return str(found["model"]) if found and "model" in found else None

    def say(self, conversation: str, text: str, intent: str = "") -> Optional[Dict[str, Any]]:
        """Return the live assistant's turn as its channel describes it, or None when it does not answer."""
        body: Dict[str, Any] = {"conversation": conversation, "id": str(uuid.uuid4())}
        body.update({"intent": intent, "entities": []} if intent else {"text": text})
        return self._call("POST", "/messages", body, LIVE_SECONDS)

    def forget(self, conversation: str) -> None:
        """Delete a tried conversation."""
        self._call("DELETE", f"/conversations/{conversation}", None, LIVE_SECONDS)

    def _call(self, method: str, path: str, body: Optional[Dict[str, Any]], seconds: float) -> Optional[Dict[str, Any]]:
        request = urllib.request.Request(
            self._url + path, method=method, data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as reply:
                text = reply.read()
                return json.loads(text) if text else {}
        except (urllib.error.URLError, OSError, ValueError):
            return None
