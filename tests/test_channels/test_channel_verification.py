"""What is genuine is taken, what is not is refused: against the services' printed examples, their libraries, and forgeries."""
import json
import string
from urllib.parse import urlencode

import pytest
from calls import channel_of, hook
from fakes import SERVICES, Call
from fakes.slack import FakeSlack
from fakes.twilio import FakeTwilio
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from assistant.errors import SettingsError
from assistant.settings import SECRET_VARIABLES, Settings
from gateway.channels import slack, twilio
from gateway.channels.base import Refused, Webhook
from gateway.channels.meta import Hub
from gateway.channels.registry import MODULES, configured

NAMES = list(SERVICES)
# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK_EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
# Twilio's documentation of request validation, and the tests of its own library (which have blank fields).
TWILIO_EXAMPLES = [
    ("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
     {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}),
    ("2bd9e9638872de601313dc77410d3b23", "http://twiliotests.heroku.com/validate/voice", "oVb2kXoVy8GEfwBDjR8bk/ZZ6eA=",
     {"ToState": "California", "CalledState": "California", "Direction": "inbound", "FromState": "CA",
      "AccountSid": "ACba8bc05eacf94afdae398e642c9cc32d", "Caller": "+14153595711", "CallerZip": "94108", "CallerCountry": "US",
      "From": "+14153595711", "FromCity": "SAN FRANCISCO", "CallerCity": "SAN FRANCISCO", "To": "+14157669926", "FromZip": "94108",
      "FromCountry": "US", "ToCity": "", "CallStatus": "ringing", "CalledCity": "", "CallerState": "CA", "CalledZip": "", "ToZip": "",
      "ToCountry": "US", "CallSid": "CA136d09cd59a3c0ec8dbff44da5c03f31", "CalledCountry": "US", "Called": "+14157669926",
      "ApiVersion": "2010-04-01", "ApplicationSid": "AP44efecad51364e80b133bb7c07eb8204"}),
    ("2bd9e9638872de601313dc77410d3b23", "http://twiliotests.heroku.com/validate/sms", "mxeiv65lEe0b8L6LdVw2jgJi8yw=",
     {"ToState": "CA", "FromState": "CA", "AccountSid": "ACba8bc05eacf94afdae398e642c9cc32d", "Body": "Orly",
      "SmsMessageSid": "SM2003cbd5e6a3701999aa3e5f20ff2787", "From": "+14159354345", "FromCity": "SAN FRANCISCO",
      "SmsStatus": "received", "FromZip": "94107", "FromCountry": "US", "To": "+14158141819", "ToCity": "SAN FRANCISCO",
      "ToZip": "94105", "ToCountry": "US", "ApiVersion": "2010-04-01", "SmsSid": "SM2003cbd5e6a3701999aa3e5f20ff2787"}),
]
# Meta prints none; GitHub signs in the same way, and does:
# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
HUB_EXAMPLE = ("It's a Secret to Everybody", b"Hello, World!",
               "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")


class At:
    """A clock that stands still."""

    def __init__(self, seconds):
        self.seconds = seconds

    def now(self):
        return self.seconds


def slack_at(seconds, secret=FakeSlack.signing_secret):
    return slack.Slack("http://127.0.0.1", {slack.SECRET: secret, slack.TOKEN: "xoxb"}, At(seconds))


def test_slacks_printed_example_is_genuine():
    call = Call({"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": "1531420618",
                 "X-Slack-Signature": SLACK_SIGNATURE}, SLACK_EXAMPLE)
    assert slack_at(1531420618).verify(hook(FakeSlack(), call)) is None
    assert slack_at(1531420618 + 300).verify(hook(FakeSlack(), call)) is None
    for seconds in (1531420618 + 301, 1531420618 - 301):
        with pytest.raises(Refused):
            slack_at(seconds).verify(hook(FakeSlack(), call))


@pytest.mark.parametrize("token, url, signature, form", TWILIO_EXAMPLES)
def test_twilios_printed_examples_are_genuine(token, url, signature, form):
    channel = twilio.Twilio("http://127.0.0.1", {twilio.ACCOUNT: "AC", twilio.TOKEN: token})
    body = urlencode(form).encode()
    assert channel.verify(Webhook("POST", url, {"x-twilio-signature": signature}, {}, body)) is None
    with pytest.raises(Refused):
        channel.verify(Webhook("POST", url, {"x-twilio-signature": signature}, {}, body + b"&More=1"))


def test_the_hub_signature_is_that_of_a_printed_example():
    secret, body, signature = HUB_EXAMPLE
    hub = Hub(secret, "token")
    assert hub.verify(Webhook("POST", "", {"x-hub-signature-256": signature}, {}, body)) is None
    with pytest.raises(Refused):
        hub.verify(Webhook("POST", "", {"x-hub-signature-256": signature}, {}, body + b"!"))


@given(st.text(max_size=200))
def test_the_fake_slack_signs_as_slacks_library_does(text):
    call = FakeSlack().signed(text.encode("utf-8", "replace"))
    timestamp = call.headers["X-Slack-Request-Timestamp"]
    expected = SignatureVerifier(FakeSlack.signing_secret).generate_signature(timestamp=timestamp, body=call.body)
    assert call.headers["X-Slack-Signature"] == expected


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), st.text(st.characters(blacklist_categories=["Cs"])), min_size=1))
def test_the_fake_twilio_signs_as_twilios_library_does(form):
    call = FakeTwilio().signed(form)
    assert RequestValidator(FakeTwilio.token).validate("https://chat.example.org/webhooks/twilio", form, call.headers["X-Twilio-Signature"])
    assert channel_of(FakeTwilio()).verify(hook(FakeTwilio(), call)) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_call_is_taken_and_every_forgery_refused(name):
    service = SERVICES[name]()
    channel = channel_of(service)
    assert channel.verify(hook(service, service.text(service.user, "hello £ 😀"))) is None
    for forgery, call in service.forged(service.user):
        with pytest.raises(Refused) as refused:
            channel.verify(hook(service, call))
        assert refused.value.status in (401, 403), forgery


@pytest.mark.parametrize("name", ["whatsapp", "messenger"])
def test_metas_handshake_is_echoed(name):
    service = SERVICES[name]()
    answer = channel_of(service).verify(hook(service, service.handshake()))
    assert (answer.status, answer.body) == (200, "1158201444")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8"])
def test_slacks_handshake_is_echoed_when_signed(content_type):
    service = FakeSlack()
    call = service.signed(b'{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}',
                          content_type)
    answer = channel_of(service).verify(hook(service, call))
    assert (answer.status, answer.body) == (200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")


def test_twilio_signs_the_public_address_with_its_port_or_without():
    service = FakeTwilio()
    form = service.written(service.user, "hello")
    for public, signed in (("https://chat.example.org:443", "https://chat.example.org"), ("https://chat.example.org", "https://chat.example.org:443")):
        call = service.signed(form, f"{signed}/webhooks/twilio")
        assert channel_of(service, ASSISTANT_PUBLIC_URL=public).verify(hook(service, call, public)) is None


HEADERS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200), values=st.lists(HEADERS, min_size=3, max_size=3), method=st.sampled_from(["GET", "POST"]))
def test_no_call_makes_verification_fail_in_another_way_than_refusal(name, body, values, method):
    service = SERVICES[name]()
    headers = dict(zip([*service.signature_headers, "Content-Type", "Other"], values))
    with pytest.raises(Refused):
        channel_of(service).verify(hook(service, Call(headers, body, method)))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
                        "entry", "changes", "value", "metadata", "phone_number_id", "messages", "messaging", "message", "postback",
                        "sender", "id", "type", "event", "event_callback", "user", "from", "chat", "update_id", "callback_query",
                        "text", "actions",
                    ]), inner, max_size=4), max_leaves=25)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "twilio"])
@settings(max_examples=150, deadline=None)
@given(payload=JSON)
def test_no_payload_makes_parsing_fail_in_another_way_than_value_error(name, payload):
    service = SERVICES[name]()
    try:
        found = channel_of(service).parse(hook(service, Call({"Content-Type": "application/json"}, json.dumps(payload).encode())))
    except ValueError:
        return
    assert all(message.id and message.user and message.address for message in found)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.NAME)
def test_half_of_the_secrets_stop_the_start_with_one_line(module):
    service = SERVICES[module.NAME]()
    assert set(module.VARIABLES) <= SECRET_VARIABLES
    given = {**service.env}
    missing = module.VARIABLES[-1]
    del given[missing]
    with pytest.raises(SettingsError) as error:
        configured(Settings.from_env(given), given)
    line = str(error.value)
    assert "\n" not in line and missing in line and module.NAME in line
    assert not any(secret in line for secret in service.secrets.values())


def test_without_secrets_no_channel_is_on():
    assert configured(Settings.from_env({}), {}) == {}


@pytest.mark.parametrize("name, variable, value", [
    ("telegram", "ASSISTANT_TELEGRAM_SECRET_TOKEN", "not allowed!"), ("telegram", "ASSISTANT_TELEGRAM_SECRET_TOKEN", "x" * 257),
    ("twilio", "ASSISTANT_TWILIO_ACCOUNT_SID", "AC1"), ("twilio", "ASSISTANT_PUBLIC_URL", ""),
])
def test_a_malformed_setting_stops_the_start_with_one_line(name, variable, value):
    with pytest.raises(SettingsError) as error:
        channel_of(SERVICES[name](), **{variable: value})
    assert variable in str(error.value) and "\n" not in str(error.value) and (not value or value not in str(error.value))
