# Counts the requests that its process has served, and says what it was told of processes.
import json
import os

count = 0


def app(environ, start_response):
    global count
    count += 1
    told = {"count": count, "pid": os.getpid(), "multiprocess": environ["wsgi.multiprocess"]}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
