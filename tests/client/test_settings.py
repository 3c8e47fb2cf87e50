from typing import Any

import pytest

from docurift_nb.client import Client
from docurift_nb.errors import ConfigError

KEY = "frc_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"


@pytest.mark.parametrize(
    ("base_url", "base"),
    [
        ("https://api.docurift.com/v1", "https://api.docurift.com/v1"),
        ("https://api.docurift.com/v1///", "https://api.docurift.com/v1"),
        ("HTTPS://API.docurift.com/v1", "HTTPS://API.docurift.com/v1"),
        ("https://proxy.example.org:8443/docu_rift/~x/v1", "https://proxy.example.org:8443/docu_rift/~x/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_an_address_is_taken_as_it_is_without_its_last_slashes(base_url: str, base: str) -> None:
    """Https anywhere, plain http to this machine."""
    assert Client(KEY, base_url).base_url == base


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.docurift.com/v1",
        "http://127.0.0.1.example.org/v1",
        "http://localhost.example.org/v1",
        "http://0.0.0.0/v1",
        "http://10.0.0.1/v1",
        "HTTP://api.docurift.com/v1",
    ],
)
def test_a_key_goes_in_clear_text_only_where_it_was_said(base_url: str) -> None:
    """Plain http to anywhere else needs allow_http."""
    with pytest.raises(ConfigError, match=r"clear text.*allow_http"):
        Client(KEY, base_url)
    assert Client(KEY, base_url, allow_http=True).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "api.docurift.com/v1",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://user@127.0.0.1/v1",
        "https://user:secret@127.0.0.1/v1",
        "https://:@127.0.0.1/v1",
        "http://127.0.0.1\\@example.org/v1",
        "http://127.0.0.1\\.example.org/v1",
        "http://127.0.0.1 .example.org/v1",
        "http://127.0.0.1\n/v1",
        "https://127.0.0.1/v1\t",
        "https://127.0.0.1/v1?",
        "https://127.0.0.1/v1?x=1",
        "https://127.0.0.1/v1#",
        "https://127.0.0.1:99999/v1",
        "https://127.0.0.1:x/v1",
        "https://127.0.0.1:0/v1",
        "https://[::1/v1",
        "https://bücher.example.org/v1",
        "https://127.0.0.1/v1/größe",
        " https://127.0.0.1/v1",
        3,
    ],
)
def test_an_address_that_could_be_read_in_two_ways_is_refused(base_url: Any) -> None:  # noqa: ANN401  # wrong types are the point
    """And what may be a password is not repeated."""
    with pytest.raises(ConfigError, match="base_url cannot be used") as caught:
        Client(KEY, base_url, allow_http=True)
    assert "secret" not in str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and address, where neither is given."""
    assert Client(KEY).base_url == "https://api.docurift.com/v1"
    monkeypatch.setenv("DOCURIFT_API_KEY", KEY)
    monkeypatch.setenv("DOCURIFT_API_URL", " http://127.0.0.1:1/v1/ ")

    assert repr(Client()) == "<Client http://127.0.0.1:1/v1>"
    assert Client().budget is Client(KEY, "http://127.0.0.1:1/v1").budget


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"timeout": "10"}, "timeout"),
        ({"max_rate": 0}, "max_rate"),
        ({"max_rate": float("nan")}, "max_rate"),
        ({"max_rate": "fast"}, "max_rate"),
        ({"auth": "Bearer"}, "did you mean 'bearer'"),
        ({"auth": None}, "x-api-key or bearer"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_bytes": None}, "max_bytes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_once(settings: dict[str, Any], match: str) -> None:
    """The error names it."""
    with pytest.raises(ConfigError, match=match):
        Client(KEY, **settings)
