import base64
import copy
import errno
import json
import logging
import pickle
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docurift_nb.client import Client
from docurift_nb.client.key import MASK, ApiKey, Masked
from docurift_nb.client.transport import Transport
from docurift_nb.errors import (
    AnswerTimeoutError,
    ApiError,
    AuthError,
    ConfigError,
    DocuriftError,
    NoAnswerError,
    RateLimitError,
    UnreadableAnswerError,
)
from tests.builders import JOB_ID, as_answer, as_bytes, as_refusal, make_job_record
from tests.client.servers import RawServer, Script, closing, dripping, hanging, message, resetting, saying

KEY = "frc_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
OTHER_KEY = "frc_Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4"
SECRETS = (KEY, KEY[:12], KEY[4:], KEY.lower(), base64.b64encode(KEY.encode()).decode())
ESCAPED = "".join(f"\\u{ord(letter):04X}" for letter in KEY)


def _shown(error: BaseException) -> Iterator[str]:
    """Yield every text that a tool could make of an error, of what is behind it, and of its frames."""
    tool = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    yield "".join(tool.format())
    yield from (repr(error), str(error), repr(vars(error)), repr(error.args))
    if isinstance(error, DocuriftError):
        yield pickle.dumps(error).decode("latin-1")
    # Walked by hand: a suppressed context is not formatted, but still there for a debugger.
    for behind in (error.__cause__, error.__context__):
        if behind is not None:
            yield from _shown(behind)


def _assert_silent(text: str) -> None:
    for secret in SECRETS:
        if secret in text:
            where = text.index(secret)
            pytest.fail(f"the key is shown: {text[max(0, where - 200) : where + 60]}", pytrace=False)


def _failure(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except BaseException as error:  # noqa: BLE001  # interrupts are among what is tested
        return error
    raise AssertionError("nothing was raised")


def _interrupting(_: socket.socket, server: RawServer) -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
    server.stopped.wait(10)


def _interrupting_body(connection: socket.socket, server: RawServer) -> None:
    connection.sendall(message(b"{", Content_Length="99"))
    _interrupting(connection, server)


def _refusing(status: str, code: str, text: str) -> Script:
    return saying(message(as_refusal(code, text), status))


FAILURES: dict[str, tuple[Script, type[BaseException]]] = {
    "redirect": (saying(message(status="302 Found", Location="http://127.0.0.2:9/")), UnreadableAnswerError),
    "redirect to the key": (
        saying(message(status="302 Found", Location=f"http://{KEY}.example.org/{KEY}")),
        UnreadableAnswerError,
    ),
    "reset while sending": (resetting(), NoAnswerError),
    "reset while reading": (resetting(message(b"{", Content_Length="99")), NoAnswerError),
    "closed while reading": (closing(message(KEY.encode(), Content_Length="99")), NoAnswerError),
    "no answer": (hanging, AnswerTimeoutError),
    "no end": (dripping(message(Content_Length="99999"), KEY.encode()), AnswerTimeoutError),
    "too much": (saying(message(KEY.encode() * 3000)), UnreadableAnswerError),
    "page": (saying(message(f"<p>{KEY}</p>".encode())), UnreadableAnswerError),
    "page of a proxy": (saying(message(f"<p>{KEY}</p>".encode(), "403 No")), UnreadableAnswerError),
    "garbage": (closing(KEY.encode() + b"\r\n\r\n"), NoAnswerError),
    "broken header": (
        closing(f"HTTP/1.1 401 No\r\nContent-Length: 0\r\n{KEY}\r\n\r\n".encode()),
        AuthError,
    ),
    "broken encoding": (
        saying(message(KEY.encode(), Content_Encoding="gzip")),
        UnreadableAnswerError,
    ),
    "refused key": (_refusing("401 No", "INVALID_API_KEY", f"what is {KEY}?"), AuthError),
    "refused key in a code": (_refusing("401 No", KEY, KEY[:12] + "..."), AuthError),
    "refused key, cut by us": (_refusing("401 No", "X", "x" * 280 + KEY), AuthError),
    "refused key in escapes": (
        saying(message(as_refusal("X", "@").replace(b"@", ESCAPED.encode()), "401 No")),
        AuthError,
    ),
    "refused key in a header": (saying(message(b"", "401 No", X_Key=KEY, Set_Cookie=f"k={KEY}")), AuthError),
    "key in the request id": (
        saying(message(as_refusal("RATE_LIMIT_EXCEEDED", "slow", request_id=KEY), "429 No")),
        RateLimitError,
    ),
    "key in the hint": (saying(message(b"", "429 No", Retry_After=KEY, Date=KEY)), RateLimitError),
    "another job": (saying(message(as_answer(make_job_record(id=KEY)))), UnreadableAnswerError),
    "an answer without success": (
        saying(
            message(as_bytes({"success": False, "error": {"code": "X", "details": {"keyPrefix": KEY[:12]}}}))
        ),
        UnreadableAnswerError,
    ),
    "interrupt while waiting": (_interrupting, KeyboardInterrupt),
    "interrupt while reading": (_interrupting_body, KeyboardInterrupt),
}


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("auth", ["x-api-key", "bearer"])
@pytest.mark.parametrize("how", FAILURES)
def test_no_failure_shows_the_key(how: str, auth: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the error, what is behind it, any frame's locals, the client, or a log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    script, kind = FAILURES[how]
    with RawServer(script) as server:
        timeout = 0.3 if kind is AnswerTimeoutError else 10.0
        client = Client(KEY, server.url, timeout=timeout, auth=auth, max_bytes=50_000)
        error = _failure(lambda: client.job(JOB_ID))
        client.close()

    assert type(error) is kind
    for text in (*_shown(error), repr(client), repr(vars(client)), caplog.text):
        _assert_silent(text)
    assert f"{KEY}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "https://127.0.0.1:1/v1", "https://docurift.invalid/v1"]
)
def test_no_lost_connection_shows_the_key(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing listens, or the name is not known."""
    caplog.set_level(logging.DEBUG)
    error = _failure(lambda: Client(KEY, url, timeout=2).job(JOB_ID))

    assert isinstance(error, NoAnswerError)
    for text in (*_shown(error), caplog.text):
        _assert_silent(text)


def test_a_failed_handshake_does_not_show_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """TLS against a server that does not speak it."""
    caplog.set_level(logging.DEBUG)
    with RawServer(saying(message(b"{}"))) as server:
        client = Client(KEY, server.url.replace("http:", "https:"), timeout=2)
        error = _failure(lambda: client.job(JOB_ID))

    assert isinstance(error, NoAnswerError)
    for text in (*_shown(error), caplog.text):
        _assert_silent(text)


def _interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def _out_of_memory(*_: object) -> None:
    raise MemoryError


def _unreachable(*_: object) -> None:
    raise OSError(errno.EHOSTUNREACH, KEY)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize(
    ("happening", "kind"),
    [(_interrupt, KeyboardInterrupt), (_out_of_memory, MemoryError), (_unreachable, NoAnswerError)],
)
def test_nothing_that_happens_while_sending_shows_the_key(
    happening: Callable[..., None], kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At this moment the frames of the HTTP stack hold the whole request in bytes."""
    monkeypatch.setattr("http.client.HTTPConnection.send", happening)
    error = _failure(lambda: Client(KEY, "http://127.0.0.1:1/v1").job(JOB_ID))

    assert type(error) is kind
    for text in _shown(error):
        _assert_silent(text)


def test_an_interrupt_in_the_depths_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an interrupt that came while another error was being handled."""

    def send(_: object, request: object, **options: object) -> None:
        raw = KEY.encode()
        try:
            bytes.fromhex(KEY)
        except ValueError:
            raise KeyboardInterrupt from OSError(raw, request, options)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    error = _failure(lambda: Client(KEY, "http://127.0.0.1:1/v1").job(JOB_ID))

    assert isinstance(error, KeyboardInterrupt)
    for text in _shown(error):
        _assert_silent(text)


def test_an_error_of_any_other_kind_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in a library is passed on, but without its frames."""

    def send(_: object, __: object, **___: object) -> None:
        raw = KEY.encode()
        raise RuntimeError(len(raw))

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    error = _failure(lambda: Client(KEY, "http://127.0.0.1:1/v1").job(JOB_ID))

    assert isinstance(error, RuntimeError)
    for text in _shown(error):
        _assert_silent(text)


REFUSED: dict[str, Callable[[], object]] = {
    "newline in the key": lambda: Client(KEY + "\n" + KEY, "http://127.0.0.1:1/v1"),
    "blank in the key": lambda: Client(KEY + " x", "http://127.0.0.1:1/v1"),
    "letter beyond ASCII in the key": lambda: Client(KEY + "é", "http://127.0.0.1:1/v1"),
    "key of 5,000 characters": lambda: Client(KEY * 139, "http://127.0.0.1:1/v1"),
    "key in bytes": lambda: Client(KEY.encode(), "http://127.0.0.1:1/v1"),  # type: ignore[arg-type]  # wrong
    "key in a list": lambda: Client([KEY], "http://127.0.0.1:1/v1"),  # type: ignore[arg-type]  # wrong
    "key and address swapped": lambda: Client("http://127.0.0.1:1/v1", KEY),
    "key twice": lambda: Client(KEY, KEY),
    "key as user": lambda: Client(KEY, f"https://{KEY}@127.0.0.1/v1"),
    "key as password": lambda: Client(KEY, f"https://u:{KEY}@127.0.0.1/v1"),
    "key in a query": lambda: Client(KEY, f"https://127.0.0.1/v1?api_key={KEY}"),
    "plain http elsewhere": lambda: Client(KEY, "http://docurift.invalid/v1"),
    "no timeout": lambda: Client(KEY, timeout=0),
    "wrong header": lambda: Client(KEY, auth="x-api-kye"),
    "wrong rate": lambda: Client(KEY, max_rate=-1),
    "wrong size": lambda: Client(KEY, max_bytes=0),
    "new key with a newline": lambda: Client(KEY).renew_key(KEY + "\nx"),
    "new key in bytes": lambda: Client(KEY).renew_key(KEY.encode()),  # type: ignore[arg-type]  # wrong
    "key of its own": lambda: ApiKey.of(KEY + "\nx"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_no_refused_setting_shows_the_key(how: str) -> None:
    """Whatever is wrong with the arguments, the traceback of the error does not repeat the key."""
    error = _failure(REFUSED[how])

    assert isinstance(error, ConfigError)
    for text in _shown(error):
        _assert_silent(text)


def test_neither_does_one_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment that cannot be sent is named by its variable."""
    monkeypatch.setenv("DOCURIFT_API_KEY", KEY + "\nx")
    error = _failure(Client)

    assert "DOCURIFT_API_KEY" in str(error)
    for text in _shown(error):
        _assert_silent(text)


def test_a_pickled_or_copied_client_does_not_carry_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side reads the key from its own environment, and has the settings."""
    client = Client(KEY, "http://127.0.0.1:1/v1", timeout=3, auth="bearer", max_bytes=77)
    stored = pickle.dumps(client)
    _assert_silent(stored.decode("latin-1"))
    with pytest.raises(ConfigError, match="DOCURIFT_API_KEY"):
        pickle.loads(stored)  # noqa: S301  # just written
    monkeypatch.setenv("DOCURIFT_API_KEY", OTHER_KEY)
    for other in (pickle.loads(stored), copy.copy(client), copy.deepcopy(client)):  # noqa: S301  # just written
        _assert_silent(repr(vars(other)))
        assert (other.base_url, other._options) == (client.base_url, client._options)
        assert other.budget is Client(OTHER_KEY, "http://127.0.0.1:1/v1").budget


def test_a_key_is_not_pickled() -> None:
    """Neither by itself nor as part of something else."""
    with pytest.raises(TypeError, match="DOCURIFT_API_KEY"):
        pickle.dumps([ApiKey(KEY)])


def test_a_key_is_shown_as_a_mask() -> None:
    """In every format but the bare text that goes into the header."""
    key = ApiKey(KEY)
    for shown in (repr(key), str(key), f"{key}", f"{key!r}", repr(key.headers("bearer")), repr(Masked(KEY))):
        _assert_silent(shown)
        assert MASK in shown
    assert str(key.headers("x-api-key")["X-API-Key"]) == KEY


def test_blanks_around_a_key_are_taken_off() -> None:
    """They come from copying and from files."""
    assert ApiKey.of(f" {KEY}\r\n").headers("bearer") == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("given", [None, "", "  \n"])
def test_no_key_at_all_says_where_to_put_one(given: str | None) -> None:
    """The error names the variable and the sandbox."""
    with pytest.raises(ConfigError, match=r"set DOCURIFT_API_KEY.*Sandbox"):
        ApiKey.of(given)


def test_a_key_is_taken_as_it_is() -> None:
    """A key that was read before needs no second reading."""
    key = ApiKey(KEY)
    assert ApiKey.of(key) is key


def test_an_echo_in_an_answer_is_cut_out_and_the_json_stays_whole() -> None:
    """Plain, cut, escaped, at the end of a text or twice: the rest of the answer is unharmed."""
    echoes = [f"<{KEY}>", KEY[:20], f'"{KEY}"', f"a{KEY}b", KEY + KEY, KEY[:12] + "..."]
    body = json.dumps(echoes).encode().replace(b"<", rb"\u003c").replace(KEY[4:6].encode(), rb"\u0041\u0031")
    scrubbed = ApiKey(KEY).scrub(body)

    found = json.loads(scrubbed)
    assert len(found) == len(echoes)
    assert all(MASK in text for text in found)
    _assert_silent(repr(found))


@given(st.lists(st.text() | st.sampled_from([KEY, KEY[:12]])).map("".join), st.booleans())
def test_scrubbing_leaves_valid_json_and_no_key(text: str, ascii_only: bool) -> None:  # noqa: FBT001  # drawn
    """Whatever stands around the key."""
    body = json.dumps({"text": text}, ensure_ascii=ascii_only).encode("utf-8", "replace")
    found = json.loads(ApiKey(KEY).scrub(body))["text"]

    assert KEY[:12] not in found
    if KEY[:12] not in text:
        assert json.loads(body)["text"] == found


def test_a_key_of_odd_characters_is_cut_out_too() -> None:
    """Bearer tokens hold dots, slashes and signs that some writers escape."""
    token = "ab+c/d=e.f~g-h_i+j/k=" * 3
    body = json.dumps(token).encode()
    for echo in (body, body.replace(b"/", rb"\/"), body.replace(b"+", rb"\u002B")):
        assert json.loads(ApiKey(token).scrub(echo)) == MASK


def test_a_short_key_is_not_cut_out_of_a_document() -> None:
    """Somebody's sandbox key "test" must not change every document that holds the word."""
    assert ApiKey("test").scrub(b'{"text": "this is a test"}') == b'{"text": "this is a test"}'


def test_a_digest_tells_keys_and_hosts_apart() -> None:
    """Long tokens that begin alike too; and it does not show the key."""
    long = "e" * 80
    words = {ApiKey(key).digest(host) for key in (KEY, OTHER_KEY, long + "1", long + "2") for host in "ab"}

    assert len(words) == 8
    assert ApiKey(KEY).digest("a") == ApiKey(KEY).digest("a")
    _assert_silent("".join(words))


def test_the_settings_of_a_transport_do_not_hold_the_key() -> None:
    """It is handed over for each request and forgotten."""
    with RawServer(saying(message(b"{}"))) as server:
        transport = Transport(server.url, (1, 1), 100)
        transport.get(f"{server.url}/jobs/x", ApiKey(KEY).headers("x-api-key"))
        _assert_silent(repr(vars(transport)))
        transport.close()


def test_an_old_key_is_cut_out_of_an_answer_that_comes_after_its_renewal() -> None:
    """The answer belongs to the key it was asked with."""

    def script(connection: socket.socket, _: RawServer) -> None:
        client.renew_key(OTHER_KEY)
        connection.sendall(message(as_refusal("INVALID_API_KEY", KEY), "401 No"))

    with RawServer(script) as server:
        client = Client(KEY, server.url)
        error = _failure(lambda: client.job(JOB_ID))
        client.close()

    assert isinstance(error, ApiError)
    assert error.message == MASK
