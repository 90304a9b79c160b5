"""What keeps visitors and operator safe holds on every route."""

from __future__ import annotations

import multiprocessing
import re
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from tests.webapp.conftest import settings_for
from tests.webapp.seed import Seeded
from webapp.application import create_app
from webapp.security.headers import HEADERS, STRICT_TRANSPORT
from webapp.security.hosts import own_path
from webapp.security.limits import MAX_ARGUMENTS, MAX_BODY, MAX_FIELDS, json_body
from webapp.settings import WebSettings, WebSettingsError

ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
VALUES = {
    "number": 1,
    "round": 1,
    "account": ACCOUNT,
    "filename": "css/cairn.css",
    "plot": "pay",
    "theme": "light",
    "identifier": "0" * 32,
}


def paths_of(app: Flask) -> list[str]:
    """An address for every route of an app."""
    with app.test_request_context():
        return [
            app.url_for(rule.endpoint, **{name: VALUES[name] for name in rule.arguments})
            for rule in app.url_map.iter_rules()
        ]


def test_every_answer_has_the_headers(app: Flask) -> None:
    for path in [*paths_of(app), "/nothing", "/?reward=x"]:
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            # A new visitor each time: two routes share the address of signing in.
            with app.test_client().open(path, method=method, buffered=False) as answer:
                for name, value in HEADERS.items():
                    assert answer.headers[name] == value, (path, method, name)
                # Whoever only looks gets no cookie; signing in needs one.
                assert ("Set-Cookie" in answer.headers) == (path == "/sign-in" and method in ("GET", "HEAD"))


def test_the_policy_lets_nothing_inline_run(app: Flask) -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert all("unsafe" not in value and "*" not in value for value in policy.values())
    client = app.test_client()
    pages = [client.get(path) for path in paths_of(app) if not path.startswith(("/live", "/static"))]
    shown = [page.text for page in pages if page.mimetype == "text/html"]
    assert len(shown) >= 7
    for page in shown:
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/)", page)
        assert not re.search(r"<[^>]+\son\w+=", page)
        assert not re.search(r"<[^>]+\sstyle=", page)
        assert "<style" not in page
        for tag in re.findall(r'<(?:script|link rel="stylesheet")[^>]*>', page):
            assert 'integrity="sha384-' in tag
            assert re.search(r'(?:src|href)="/static/', tag)


def test_behind_https_cookies_and_transport_are_strict(seeded: Seeded, tmp_path: Path) -> None:
    app = create_app(settings_for(seeded, tmp_path, https=True))
    assert app.test_client().get("/").headers["Strict-Transport-Security"] == STRICT_TRANSPORT
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_HTTPONLY"]
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")


def changing(app: Flask) -> FlaskClient:
    """An app with a route that changes something, and one that gives the session's token."""
    from flask_wtf.csrf import generate_csrf

    app.add_url_rule("/change", "change", lambda: "changed", methods=["POST"])
    app.add_url_rule("/token", "token", generate_csrf)
    return app.test_client()


def test_no_change_without_the_sessions_token(app: Flask) -> None:
    mine, others = changing(app), app.test_client()
    token, foreign = mine.get("/token").text, others.get("/token").text
    assert mine.post("/change", headers={"X-CSRF-Token": token}).text == "changed"
    # Not another last character: its lowest bits stand for nothing.
    for headers in ({}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": token[:-1]}):
        assert mine.post("/change", headers=headers).status_code == 400
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        assert mine.post("/change", data="{}", content_type=kind).status_code == 400
    assert mine.get("/change").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_change_from_another_site(app: Flask, headers: dict[str, str]) -> None:
    client = changing(app)
    token = client.get("/token").text
    assert client.post("/change", headers={"X-CSRF-Token": token, **headers}).status_code == 403


def test_every_route_that_changes_something_is_protected(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}:
            with app.test_request_context():
                path = app.url_for(rule.endpoint, **{name: VALUES[name] for name in rule.arguments})
            assert client.open(path, method=method).status_code in (400, 403), (path, method)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost"]
)
def test_other_hosts_are_refused(client: FlaskClient, host: str) -> None:
    for path in ("/", "/static/css/cairn.css", "/nothing"):
        assert client.get(path, headers={"Host": host}).status_code == 400
    assert client.get("/", headers={"Host": "localhost:8000"}).status_code == 200


def test_nobody_is_sent_to_another_site() -> None:
    for target in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\n//evil.example",
        "",
        None,
    ):
        assert own_path(target, "/me") == "/me"
    assert own_path("/jobs/1?after=2#money", "/") == "/jobs/1?after=2#money"


def test_forged_forwarding_says_nothing(seeded: Seeded, tmp_path: Path) -> None:
    headers = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    for proxies, seen in ((0, "127.0.0.1"), (1, "9.9.9.9")):
        app = create_app(settings_for(seeded, tmp_path, trusted_proxies=proxies))
        app.add_url_rule("/who", view_func=lambda: f"{request.remote_addr} {request.host}")
        forged = {**headers, "X-Forwarded-For": "1.1.1.1, 9.9.9.9"}
        assert app.test_client().get("/who", headers=forged).text == f"{seen} localhost"


def test_too_much_is_refused_before_it_is_read(app: Flask) -> None:
    app.add_url_rule("/json", "json", lambda: json_body(), methods=["POST"])
    client = changing(app)
    token = {"X-CSRF-Token": client.get("/token").text}
    assert client.post("/change", data=b"x" * (MAX_BODY + 1), headers=token).status_code == 413
    fields = "&".join(f"f{k}=1" for k in range(MAX_FIELDS + 1))
    form = {"data": fields, "content_type": "application/x-www-form-urlencoded"}
    assert client.post("/change", **form, headers=token).status_code == 413
    many = {f"f{k}": "1" for k in range(MAX_FIELDS + 1)}
    assert client.post("/change", data=many, content_type="multipart/form-data", headers=token).status_code == 413
    assert client.get("/?" + "&".join(f"a{k}=1" for k in range(MAX_ARGUMENTS + 1))).status_code == 414
    assert client.get("/?q=" + "x" * 5_000).status_code == 414
    deep = "[" * 100 + "]" * 100
    assert client.post("/json", data=deep, content_type="application/json", headers=token).status_code == 400
    assert client.post("/json", data='{"a":1,"a":2}', content_type="application/json", headers=token).status_code == 400
    assert client.post("/json", data="{}", content_type="text/plain", headers=token).status_code == 415


def ask_repeatedly(settings: WebSettings, times: int, answers: multiprocessing.Queue) -> None:
    client = create_app(settings).test_client()
    answers.put([client.get("/glossary").status_code for _ in range(times)])


def test_the_rate_limit_holds_across_processes(seeded: Seeded, tmp_path: Path) -> None:
    settings = settings_for(seeded, tmp_path, requests_per_minute=10)
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    for _ in range(2):
        worker = fork.Process(target=ask_repeatedly, args=(settings, 8, answers))
        worker.start()
        worker.join(60)
    codes = answers.get(timeout=5) + answers.get(timeout=5)
    assert codes == [200] * 10 + [429] * 6
    client = create_app(settings).test_client()
    refused = client.get("/glossary", headers={"X-Forwarded-For": "8.8.8.8"})
    assert refused.status_code == 429
    assert "Too many requests" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    with client.get("/static/css/cairn.css") as answer:
        assert answer.status_code == 200
    assert client.get("/glossary", environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200


def test_an_unforeseen_error_shows_nothing_of_the_inside(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise ZeroDivisionError("secret detail")

    app.add_url_rule("/fail", view_func=fail)
    answer = app.test_client().get("/fail")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    number = re.search(r"request ([0-9a-f]{8})", answer.text)[1]
    assert number in caplog.text
    assert not app.debug


def test_static_files_stay_in_their_folder(client: FlaskClient) -> None:
    for name in ("../application.py", "%2e%2e/application.py", "..%2fapplication.py", "css/../../errors.py"):
        assert client.get(f"/static/{name}").status_code == 404


def test_settings_are_checked(seeded: Seeded, tmp_path: Path) -> None:
    for changed in (
        {"allowed_hosts": ()},
        {"allowed_hosts": ("https://example.org",)},
        {"allowed_hosts": ("*",)},
        {"trusted_proxies": -1},
        {"requests_per_minute": 0},
    ):
        with pytest.raises(WebSettingsError):
            settings_for(seeded, tmp_path, **changed)


def test_the_secret_key_is_its_owners_alone(seeded: Seeded, tmp_path: Path) -> None:
    settings = settings_for(seeded, tmp_path)
    create_app(settings)
    key = settings.secret_key_file
    assert key.stat().st_mode & 0o077 == 0
    assert len(key.read_bytes()) == 32
    assert create_app(settings).config["SECRET_KEY"] == key.read_bytes()
    key.chmod(0o644)
    with pytest.raises(WebSettingsError, match="chmod 600"):
        create_app(settings)
    key.chmod(0o600)
    key.write_bytes(b"short")
    with pytest.raises(WebSettingsError, match="has 5 bytes"):
        create_app(settings)
