"""Caches and sessions of Django and Flask in the hub."""

import threading

import django
from django.conf import settings

from cases import URL, run

settings.configure(
    CACHES={
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL, "KEY_PREFIX": "django"},
        "own": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": URL, "KEY_PREFIX": "own"},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SECRET_KEY="test",
    USE_TZ=True,
)
django.setup()


def of_django(cache):
    cache.clear()
    cache.set("a", {"x": [1, 2]}, 100)
    assert cache.get("a") == {"x": [1, 2]} and cache.get("b", "none") == "none"
    assert cache.add("a", 1) is False and cache.add("b", 1, 100) and cache.incr("b", 4) == 5 and cache.decr("b") == 4
    cache.set_many({"m": 1, "n": 2}, 100)
    assert cache.get_many(["m", "n", "o"]) == {"m": 1, "n": 2}
    assert cache.touch("m", 50) and cache.has_key("m") and cache.delete("m") and not cache.delete("m")
    cache.delete_many(["n", "b"])
    assert cache.get_or_set("c", lambda: "made", 100) == "made" and cache.get("c") == "made"
    cache.set("ends", 1, 0.0)
    assert cache.get("ends") is None
    cache.set("v", 1, version=1)
    assert cache.incr_version("v") == 2 and cache.get("v", version=2) == 1
    cache.clear()
    assert cache.get("a") is None


def case_django_redis():
    from django.core.cache import caches

    cache = caches["default"]
    of_django(cache)
    cache.set("pages:1", 1)
    cache.set("pages:2", 1)
    cache.set("other", 1)
    assert sorted(cache.keys("pages:*")) == ["pages:1", "pages:2"] and cache.ttl("other") > 0
    assert sorted(cache.iter_keys("pages:*")) == ["pages:1", "pages:2"] and cache.delete_pattern("pages:*") == 2
    assert cache.expire("other", 10) and cache.persist("other") and cache.ttl("other") is None
    with cache.lock("door", timeout=5):
        assert not cache.lock("door", timeout=5).acquire(blocking=False)


def case_djangos_own_backend():
    from django.core.cache import caches

    of_django(caches["own"])


def case_django_sessions():
    from django.contrib.sessions.backends.cache import SessionStore

    session = SessionStore()
    session["user"] = 7
    session.set_expiry(100)
    session.save()
    again = SessionStore(session.session_key)
    assert again["user"] == 7 and again.exists(session.session_key)
    again.cycle_key()
    assert not SessionStore().exists(session.session_key)
    again.flush()


def case_flask_sessions():
    import redis
    from flask import Flask, session
    from flask_session import Session

    app = Flask(__name__)
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis.from_url(URL), SECRET_KEY="test")
    Session(app)

    @app.get("/count")
    def count():
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    one, other = app.test_client(), app.test_client()
    assert [one.get("/count").text for _ in range(3)] == ["1", "2", "3"] and other.get("/count").text == "1"


def case_cachelib():
    import redis
    from cachelib import RedisCache

    cache = RedisCache(host=redis.Redis.from_url(URL), key_prefix="lib", default_timeout=100)
    assert cache.set("a", [1]) and cache.get("a") == [1] and cache.add("a", 2) is False
    assert cache.set_many({"x": 1, "y": 2}) and cache.get_many("x", "y", "z") == [1, 2, None]
    assert cache.inc("n", 2) == 2 and cache.dec("n") == 1 and cache.has("a")
    assert cache.delete("a") and cache.get("a") is None and cache.clear() and cache.get("x") is None


if __name__ == "__main__":
    run()
