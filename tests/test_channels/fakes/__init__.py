"""Fakes of the messaging services: they check what they receive as the real one would, and post as it does."""
from fakes.base import Call, FakeService, Sent
from fakes.messenger import FakeMessenger
from fakes.slack import FakeSlack
from fakes.telegram import FakeTelegram
from fakes.twilio import FakeTwilio
from fakes.whatsapp import FakeWhatsApp

SERVICES: dict[str, type[FakeService]] = {
    fake.name: fake for fake in (FakeWhatsApp, FakeMessenger, FakeSlack, FakeTelegram, FakeTwilio)
}

__all__ = ["SERVICES", "Call", "FakeService", "Sent"]
