#!/usr/bin/env python3
"""Lets h11 and httplint judge what lab answered, connection by connection.

    Scripts/judge-answers.py < CONNECTIONS

Each line that comes in is a JSON object, a connection: `name`; `sent` and `received`, all the bytes of
each direction in base64; `date`, when that was, in seconds; `cut`, whether the last answer is meant to break off; `lint`, whether
httplint is asked too. Each line that goes out is a JSON object, a complaint: `name`, `judge` (h11 or
httplint), `complaint`. Standard error says how many answers were judged. Exits with 1 if there is a
complaint.

h11 reads as a client that has sent the same requests. A request that h11 itself would refuse is
replaced by a plain one of the same method: the answer to it must be HTTP all the same.
"""
import base64
import json
import re
import sys

import h11
from httplint import HttpRequestLinter, HttpResponseLinter, levels

# Larger than any head that lab takes: what h11 thinks of a head's size is not asked here.
MOST_HEAD = 1 << 20

# Notes that put the status in words, and blame the request.
TOLD = {"STATUS_URI_TOO_LONG", "STATUS_VERSION_NOT_SUPPORTED"}


def requests(sent):
    """The requests in the bytes as (method, target, the fields that bear on how the answer is read)."""
    found = []
    while sent:
        # A server of its own for each: h11 goes on with no HTTP/1.0 client, and lab does.
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        server.receive_data(sent)
        has_head = False
        try:
            while True:
                event = server.next_event()
                if isinstance(event, h11.Request):
                    has_head = True
                    found.append((event.method, event.target, relevant(event)))
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif event is h11.NEED_DATA:
                    raise h11.RemoteProtocolError("it ends too early")
        except h11.ProtocolError:
            # What follows is anybody's guess: it may be a request.
            method = re.match(rb"[A-Za-z]{1,20}(?= )", sent.lstrip(b"\r\n"))
            plain = (method.group() if method else b"GET", b"/", [])
            return found + ([] if has_head else [plain]) + [(b"GET", b"/", [])]
        sent = server.trailing_data[0]
    return found


def relevant(request):
    """The fields of a request that say whether the connection goes on, and in which protocol."""
    fields = [(n, v) for n, v in request.headers if n in (b"connection", b"upgrade")]
    if request.http_version < b"1.1" and (b"connection", b"keep-alive") not in fields:
        return [(b"connection", b"close")]
    return fields


def answers(sent, received):
    """Yields (method, target, response, content) for each answer; raises what h11 has against one."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
    client.receive_data(received)
    client.receive_data(b"")
    for method, target, fields in requests(sent):
        if not client.trailing_data[0]:
            return
        client.send(h11.Request(method=method, target=target, headers=[(b"host", b"a")] + fields))
        client.send(h11.EndOfMessage())
        response, content = None, b""
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
        yield method, target, response, content
        if (client.our_state, client.their_state) != (h11.DONE, h11.DONE):
            break
        client.start_next_cycle()
    rest = client.trailing_data[0]
    if rest:
        raise h11.RemoteProtocolError(f"{len(rest)} bytes after the last answer: {rest[:80]!r}")


def lint(date, method, target, response, content):
    """What httplint calls bad in an answer."""
    request = HttpRequestLinter(start_time=date)
    request.process_request_topline(method, target, b"1.1")
    request.process_headers([(b"Host", b"a")])
    request.finish_content(True)
    linter = HttpResponseLinter(start_time=date, _related=request)
    linter.is_head_response = method == b"HEAD"
    linter.process_response_topline(
        response.http_version, str(response.status_code).encode(), response.reason
    )
    linter.process_headers(list(response.headers.raw_items()))
    linter.feed_content(content)
    linter.finish_content(True)
    bad = (note for note in linter.notes if note.level == levels.BAD)
    return [f"{note.subject}: {note.summary}" for note in bad if type(note).__name__ not in TOLD]


def main():
    judged = complaints = 0

    def complain(name, judge, complaint):
        nonlocal complaints
        complaints += 1
        print(json.dumps({"name": name, "judge": judge, "complaint": complaint}))

    for line in sys.stdin:
        connection = json.loads(line)
        name = connection["name"]
        sent, received = (base64.b64decode(connection[way]) for way in ("sent", "received"))
        try:
            for method, target, response, content in answers(sent, received):
                judged += 1
                if not connection["lint"]:
                    continue
                for found in lint(connection["date"], method, target, response, content):
                    complain(name, "httplint", f"{response.status_code} {found}")
            if connection["cut"]:
                complain(name, "h11", "the answer that breaks off passes for whole")
        except h11.ProtocolError as error:
            if not (connection["cut"] and "without sending complete message body" in str(error)):
                complain(name, "h11", str(error))
    print(f"judged {judged} answers, {complaints} complaints", file=sys.stderr)
    sys.exit(1 if complaints else 0)


main()
