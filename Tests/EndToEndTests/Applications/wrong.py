# What applications do wrong, and what they may do, a route each.
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading

TEXT = [("Content-Type", "text/plain")]


class Closing:
    """Blocks that say when they are closed."""

    def __init__(self, errors, blocks):
        self.errors = errors
        self.blocks = iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        self.errors.write("closed\n")


def raises_after(*blocks):
    yield from blocks
    raise RuntimeError("too late")


def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    route = globals().get("do_" + name)
    if route is None:
        start_response("404 Not Found", TEXT)
        return [b"no such route\n"]
    return route(environ, start_response)


# --- wrong ---------------------------------------------------------------------------------------


def do_raise(environ, start_response):
    raise ValueError("a secret of the application's")


def do_raise_after_start(environ, start_response):
    start_response("200 OK", TEXT)
    raise ValueError("nothing was sent yet")


def do_raise_after_block(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing(environ["wsgi.errors"], raises_after(b"begun\n"))


def do_never_start(environ, start_response):
    return []


def do_block_before_start(environ, start_response):
    return [b"block"]


def do_start_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b""]


def do_text(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def do_newline(environ, start_response):
    start_response("200 OK", [("X-Note", "a\r\nSet-Cookie: b")])
    return [b""]


def do_bad_name(environ, start_response):
    start_response("200 OK", [("X Note", "a")])
    return [b""]


def do_hop_by_hop(environ, start_response):
    start_response("200 OK", [("Transfer-Encoding", "chunked")])
    return [b""]


def do_unicode(environ, start_response):
    start_response("200 OK", [("X-Note", "\u2603")])
    return [b""]


def do_bytes_header(environ, start_response):
    start_response("200 OK", [(b"X-Note", "a")])
    return [b""]


def do_status_number(environ, start_response):
    start_response(200, TEXT)
    return [b""]


def do_status_interim(environ, start_response):
    start_response("100 Continue", TEXT)
    return [b""]


def do_not_iterable(environ, start_response):
    start_response("200 OK", TEXT)


def do_too_much(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Closing(environ["wsgi.errors"], [b"hel", b"lo, and more", b"never asked for"])


def do_too_little(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "500")])
    return Closing(environ["wsgi.errors"], [b"hello"])


def do_write_too_much(environ, start_response):
    write = start_response("200 OK", TEXT + [("Content-Length", "5")])
    write(b"hello")
    write(b"more")
    return []


def do_exit(environ, start_response):
    sys.exit(3)


def do_exit_words(environ, start_response):
    sys.exit("enough")


def do_os_exit(environ, start_response):
    print("last words")
    os._exit(5)


def do_interrupt(environ, start_response):
    raise KeyboardInterrupt


# --- right ---------------------------------------------------------------------------------------


def do_exc_info(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        raise ValueError("seen before anything was sent")
    except ValueError:
        start_response("503 Service Unavailable", TEXT, sys.exc_info())
    return [b"sorry\n"]


def do_exc_info_late(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun\n")
    try:
        raise ValueError("raised again")
    except ValueError:
        start_response("500 Oh", TEXT, sys.exc_info())
    return [b"never\n"]


def do_write(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"one ")
    write(b"")
    write(b"two ")
    return [b"three\n"]


def do_blocks(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing(environ["wsgi.errors"], [b"", b"one ", b"", b"two\n"])


def do_empty(environ, start_response):
    start_response("200 OK", TEXT)
    return []


def do_no_content(environ, start_response):
    start_response("204 No Content", [])
    return Closing(environ["wsgi.errors"], [b"not sent"])


def do_not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"a"'), ("Content-Length", "17")])
    return []


def do_endless(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing(environ["wsgi.errors"], iter(lambda: b"on and on\n" * 1000, None))


def do_file(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "100000")])
    file = io.BytesIO(b"f" * 200000)
    blocks = environ["wsgi.file_wrapper"](file, 4096)
    close = blocks.close

    def closed():
        close()
        print("file closed", file.closed)

    blocks.close = closed
    return blocks


def do_input(environ, start_response):
    source = environ["wsgi.input"]
    room = bytearray(3)
    told = [
        source.read(2), source.readline(), source.readline(3), source.readlines(1), bytes(room[:source.readinto(room)]),
        next(iter(source)), source.read(0), source.read(), source.read(), source.read(5), source.readline(), list(source),
    ]
    start_response("200 OK", TEXT)
    return [repr(told).encode()]


def do_echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return iter(lambda: environ["wsgi.input"].read(10000), b"")


def do_ignore_content(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"not read\n"]


def do_environ(environ, start_response):
    seen = {k: v for k, v in environ.items() if k not in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper")}
    assert type(environ) is dict and all(type(k) is str for k in environ)
    assert all(type(v) in (str, bool, tuple) for v in seen.values()), seen
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode()]


def do_print(environ, start_response):
    print("printed")
    print("on standard error", file=sys.stderr)
    environ["wsgi.errors"].writelines(["line one\n", "line two \u2603\n"])
    environ["wsgi.errors"].flush()
    sys.stdout.buffer.write(b"bytes\n")
    print("no line end", end="")
    start_response("200 OK", TEXT)
    return [b"ok\n"]


def do_subprocess(environ, start_response):
    codes = [
        subprocess.run(["sh", "-c", "exit 7"]).returncode,
        os.waitstatus_to_exitcode(os.system("exit 3")),
        subprocess.run(["sh", "-c", "kill -9 $$"]).returncode,
        subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True).stdout.decode().strip(),
    ]
    start_response("200 OK", TEXT)
    return [json.dumps(codes).encode()]


def do_signals(environ, start_response):
    names = ("SIGCHLD", "SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGUSR1")
    seen = {name: str(int(signal.getsignal(getattr(signal, name)))) for name in names}
    seen["blocked"] = len(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    with open("/proc/self/status") as status:
        seen["caught"] = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    start_response("200 OK", TEXT)
    return [json.dumps(seen).encode()]


def do_thread(environ, start_response):
    said = []
    thread = threading.Thread(target=lambda: (environ["wsgi.errors"].write("from a thread\n"), said.append(b"thread\n")))
    thread.start()
    thread.join()
    start_response("200 OK", TEXT)
    return said


def do_background(environ, start_response):
    def work():
        while environ["REMOTE_PORT"] not in done:
            pass
        print("done behind the answer", flush=True)

    threading.Thread(target=work).start()
    start_response("200 OK", TEXT)
    return Closing(Finish(environ["REMOTE_PORT"]), [b"begun\n"])


done = set()


class Finish:
    """In place of an error stream: a word that the answer is over."""

    def __init__(self, port):
        self.port = port

    def write(self, text):
        done.add(self.port)


def do_fork(environ, start_response):
    pid = os.fork()
    if pid == 0:
        # The frames' descriptor is free here: whatever takes its number must not get frames.
        ours, theirs = socket.socketpair()
        print("from a fork")
        theirs.setblocking(False)
        try:
            os._exit(len(theirs.recv(100)))
        except BlockingIOError:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    start_response("200 OK", TEXT)
    return [b"%d\n" % status]


# --- costs ---------------------------------------------------------------------------------------

kept = []


def do_spin(environ, start_response):
    total = 0
    for number in range(3_000_000):
        total += number
    start_response("200 OK", TEXT)
    return [b"spun\n"]


def do_leak(environ, start_response):
    kept.append(bytearray(os.urandom(1)) * (32 << 20))
    start_response("200 OK", TEXT)
    return [b"leaked\n"]


def do_crash(environ, start_response):
    os.kill(os.getpid(), signal.SIGSEGV)


def do_orphan(environ, start_response):
    if os.fork() == 0:
        os._exit(0)
    start_response("200 OK", TEXT)
    return [b"left one behind\n"]
