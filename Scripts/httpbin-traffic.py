#!/usr/bin/env python3
"""Sends the traffic that python-requests contributes to Sessions/httpbin.db.

    Scripts/httpbin-traffic.py URL      URL is httpbin, or a `lab record` in front of it

Every request names the host httpbin.test and goes to URL's address, and so does every redirect,
wherever it points: no port of the day gets into the recorded bytes, and nothing goes past lab. Fails when an answer is not the one expected.
"""
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

HOST = "httpbin.test"
BASE = f"http://{HOST}"


class Mapped(HTTPAdapter):
    """Connects to one address whatever the URL's host, and names that host all the same."""

    def __init__(self, address):
        self.address = address
        super().__init__(pool_maxsize=1)

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
        return self.poolmanager.connection_from_host(self.address.hostname, self.address.port, "http")

    def add_headers(self, request, **kwargs):
        request.headers["Host"] = HOST


def session(address):
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", Mapped(address))
    return made


def expect(status, response):
    if response.status_code != status:
        sys.exit(f"{response.request.method} {response.url}: expected {status}, got {response.status_code}")
    return response


def single(address):
    """Each of these opens a connection, uses it once and closes it."""

    def once(method, path, status=200, **kwargs):
        with session(address) as client:
            return expect(status, client.request(method, BASE + path, timeout=20, **kwargs))

    assert once("GET", "/get", params={"name": "Grace", "tag": ["a", "b"]}).json()["args"]["tag"] == ["a", "b"]
    once("HEAD", "/anything/head")
    once("OPTIONS", "/post")
    assert once("POST", "/post", json={"nested": {"list": [1, None, True]}}).json()["json"]["nested"]["list"][1] is None
    assert once("POST", "/post", data={"field": "värde"}).json()["form"]["field"] == "värde"
    boundary = "multipart/form-data; boundary=lab-session-requests"
    parts = ("--lab-session-requests\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n"
             "text of the file\r\n--lab-session-requests--\r\n")
    assert once("POST", "/post", data=parts, headers={"Content-Type": boundary}).json()["files"]["f"] == "text of the file"
    chunks = once("POST", "/anything/chunked", data=(piece for piece in (b"one,", b"two,", b"three")))
    assert chunks.json()["data"] == "one,two,three"
    assert once("PUT", "/put", data=bytes(range(256))).json()["data"].startswith("data:")
    once("PATCH", "/patch", json=[])
    once("DELETE", "/delete", params={"id": 9})
    once("GET", "/status/503", 503)
    once("GET", "/basic-auth/grace/hopper", auth=("grace", "hopper"))
    once("GET", "/basic-auth/grace/hopper", 401, auth=("grace", "wrong"))
    assert once("GET", "/brotli", headers={"Accept-Encoding": "identity"}).status_code == 200
    assert once("GET", "/gzip").json()["gzipped"] is True
    assert once("GET", "/deflate").json()["deflated"] is True
    once("GET", "/anything/åäö/zażółć?q=日本")


def kept_alive(address):
    """Several requests on one connection, as an application makes them."""
    with session(address) as client:
        client.headers["User-Agent"] = "lab-session/1 (requests)"

        def get(path, status=200, **kwargs):
            return expect(status, client.get(BASE + path, timeout=20, **kwargs))

        get("/get")
        assert len(get("/redirect/3").history) == 3
        assert get("/cookies/set?theme=dark&lang=sv").json()["cookies"] == {"theme": "dark", "lang": "sv"}
        assert get("/cookies").json()["cookies"]["theme"] == "dark"
        assert "theme" not in get("/cookies/delete?theme").json()["cookies"]
        assert len(get("/stream/20").text.splitlines()) == 20
        assert len(get("/stream-bytes/2000?seed=3&chunk_size=100").content) == 2000
        assert len(get("/bytes/2048?seed=9").content) == 2048
        get("/status/404", 404)
        get("/status/500", 500)
        get("/image/webp")
        get("/uuid")
        etag = "v1"
        get(f"/etag/{etag}")
        get(f"/etag/{etag}", 304, headers={"If-None-Match": f'"{etag}"'})
    with session(address) as client:
        for turn in range(5):
            expect(200, client.post(f"{BASE}/anything/turn/{turn}", json={"turn": turn}, timeout=20))
        expect(200, client.get(f"{BASE}/links/3/1", timeout=20, headers={"Connection": "close"}))


def main():
    if len(sys.argv) != 2:
        print("usage: Scripts/httpbin-traffic.py URL", file=sys.stderr)
        sys.exit(64)
    address = urlsplit(sys.argv[1])
    single(address)
    kept_alive(address)


main()
