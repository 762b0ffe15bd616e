#!/usr/bin/env python3
"""A small shop over HTTP, with the noise of real servers, and a fault of one's choice: what lab compare is tried on.

    Scripts/shop.py PORT [FAULT]

Faults: none, text-price, some-errors, lost-header, slow-list, leaks-zombies, hungry, dies, new-form,
touches-pages.
"""

import http.server
import json
import mmap
import os
import random
import sys
import threading
import time
import uuid

FAULT = sys.argv[2] if len(sys.argv) > 2 else "none"
INSTANCE = uuid.uuid4().hex
count = 0
lock = threading.Lock()


def spin(milliseconds):
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass


def helper():
    """A process beside the server that works for each byte: CPU that no latency shows. Every build has one."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(writer)
        # Only when nobody else wants the processor, or it would keep answers waiting.
        os.nice(19)
        while os.read(reader, 1):
            spin(0.5)
        os._exit(0)
    os.close(reader)
    return writer


extra_work = helper()


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and content leave in one packet; else delayed acknowledgements of 40 ms are what is measured.
    wbufsize = -1

    def log_message(self, *words):
        pass

    def do_HEAD(self):
        self.answer(b"", "text/plain")

    def do_GET(self):
        global count
        with lock:
            count += 1
            number = count
        path = self.path
        if FAULT == "dies" and path == "/items/7":
            os.abort()
        if FAULT == "leaks-zombies" and number % 100 == 0 and os.fork() == 0:
            os._exit(0)
        if FAULT == "touches-pages":
            # 64 pages that nobody had: page faults, and too little time for a clock of 10 ms to tell.
            pages = mmap.mmap(-1, 64 * mmap.PAGESIZE)
            for place in range(0, len(pages), mmap.PAGESIZE):
                pages[place] = 1
            pages.close()
        if FAULT == "hungry":
            os.write(extra_work, b"x")
        if FAULT == "some-errors" and random.random() < 0.02:
            return self.answer(b"oops", "text/plain", 500)
        spin(1.5)
        if path == "/list":
            time.sleep(0.0071 if FAULT == "slow-list" else 0.005)
            document = {"items": [{"id": n, "name": f"thing {n}"} for n in range(20)], "at": time.time()}
        elif path.startswith("/items/"):
            number = int(path.rsplit("/", 1)[1])
            price = number * 3
            if FAULT == "text-price" and random.random() < 0.02:
                price = str(price)
            tags = ["red", "green", "blue"]
            random.shuffle(tags)
            document = {"id": number, "price": price, "tags": tags, "instance": INSTANCE}
            if FAULT == "new-form":
                document["instance"] = number
        else:
            page = f"<html><body><h1>Shop</h1><p>It is {time.time():.3f}</p></body></html>"
            return self.answer(page.encode(), "text/html")
        members = list(document.items())
        random.shuffle(members)
        self.answer(json.dumps(dict(members)).encode(), "application/json")

    def answer(self, content, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Request-Id", uuid.uuid4().hex)
        if FAULT != "lost-header":
            self.send_header("Cache-Control", "no-store")
        if "gzip" in self.headers.get("Accept-Encoding", "") and random.random() < 0.5:
            import gzip

            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
