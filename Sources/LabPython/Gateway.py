# The WSGI gateway (PEP 3333): what stands between the fork server and an application in Python.
#
#     load ─▶ the application, imported once, before the first fork
#     serve(environ) ─▶ start_response, blocks, close ─▶ begin, send  (HTTP is the fork server's)
#
# It is compiled once and runs in every child, so it imports only what every application has loaded
# already. read_content, begin, send, finish, tell, fail and forked are the fork server's (CLabPython.c).

import gc
import io
import os
import signal
import sys

application = None
lazy = None
serving = is_warm = False
errors = None
watched = {}
handlers = {}
known = set()


class Gone(OSError):
    """The client is gone, or its request can't be read: no fault of the application's."""


class Content(io.RawIOBase):
    """The request's content, to its end; `wsgi.input` buffers it."""

    def readable(self):
        return True

    def readinto(self, room):
        data = read_content(len(room))
        if type(data) is str:
            raise Gone(data)
        size = len(data)
        room[:size] = data
        return size


class Kept(io.RawIOBase):
    """What is written while a request is served is kept with its exchange; all else is standard error."""

    def writable(self):
        return True

    def fileno(self):
        return 2

    def write(self, data):
        data = bytes(data)
        if serving:
            tell(data)
            return len(data)
        return os.write(2, data)


def kept_stream():
    # Line by line, so that what was said is on record if the application ends the process then.
    return io.TextIOWrapper(
        io.BufferedWriter(Kept()), encoding="utf-8", errors="backslashreplace", line_buffering=True)


class FileWrapper:
    """`wsgi.file_wrapper`: the blocks of a file."""

    def __init__(self, file, block_size=65536):
        self.file = file
        self.block_size = block_size
        close = getattr(file, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.file.read(self.block_size)
        if block:
            return block
        raise StopIteration


class Misuse(Exception):
    """The application broke a rule of PEP 3333; the message is a sentence about it."""


def name_of(value):
    return f"{type(value).__name__}, not"


def latin(text, what):
    """The bytes that a native string stands for."""
    if type(text) is not str:
        raise Misuse(f"the application gave {what} that is {name_of(text)} str: {text!r:.100}")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Misuse(f"the application gave {what} that is not ISO 8859-1: {text!r:.100}") from None


def field_runs(headers):
    """Names and values, one after the other; the fork server looks at their bytes."""
    if type(headers) is not list:
        raise Misuse(f"the application gave headers that are {name_of(headers)} list: {headers!r:.100}")
    runs = []
    for pair in headers:
        if type(pair) is not tuple or len(pair) != 2:
            raise Misuse(f"the application gave a header that is no tuple of two: {pair!r:.100}")
        runs.append(latin(pair[0], "a header's name"))
        runs.append(latin(pair[1], "a header's value").strip(b" \t"))
    return tuple(runs)


class Response:
    """What one call of start_response leads to."""

    __slots__ = ("has_head", "is_sent")

    def __init__(self):
        self.has_head = self.is_sent = False

    def start_response(self, status, headers, exc_info=None):
        if exc_info:
            try:
                if self.is_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.has_head:
            raise Misuse("the application called start_response a second time, without exc_info")
        line = latin(status, "a status")
        code = line[:3]
        if not (len(code) == 3 and code.isdigit() and line[3:4] in (b"", b" ")):
            raise Misuse(f"the application gave a status that is not of the form '200 OK': {status!r:.100}")
        refused = begin(int(code), line[4:].strip(), field_runs(headers))
        if refused is not None:
            raise Misuse(refused)
        self.has_head = True
        return self.write

    def write(self, block):
        """What start_response returns: for applications that can't give their output as blocks."""
        if self.send(block) is True:
            raise Misuse("the application wrote more than its Content-Length says")

    def send(self, block):
        """Sends a block; True where it was too much, False where no more is wanted."""
        self.check(block)
        if not block:
            # The head is not sent before there is something to send with it.
            return None
        self.is_sent = True
        result = send(block)
        if type(result) is str:
            raise Gone(result)
        return result

    def check(self, block):
        if type(block) is not bytes:
            raise Misuse(f"the application gave a block that is {name_of(block)} bytes: {block!r:.100}")
        if not self.has_head:
            raise Misuse("the application gave its first block before it called start_response")

    def finish(self, block=b""):
        if not self.has_head:
            raise Misuse("the application returned without having called start_response")
        if type(block) is not bytes:
            self.check(block)
        self.is_sent = True
        result = finish(block)
        if result is not None:
            raise Gone(result)


def run(app, environ, response):
    blocks = app(environ, response.start_response)
    try:
        if type(blocks) in (list, tuple) and len(blocks) == 1:
            # Its length is known before it is sent.
            response.finish(blocks[0])
        else:
            for block in blocks:
                if response.send(block) is not None:
                    break
            response.finish()
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def trace(error):
    """The traceback as Python prints it, from the application's own frame on."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_globals is globals():
        place = place.tb_next
    error.__traceback__ = place
    saved = sys.stderr
    sys.stderr = text = io.StringIO()
    try:
        sys.__excepthook__(type(error), error, place)
    finally:
        sys.stderr = saved
    return text.getvalue()


def report(why, error):
    """Puts the traceback where the application's own words are, and fails."""
    try:
        errors.write(trace(error))
        errors.flush()
    finally:
        fail(why.encode("utf-8", "backslashreplace"))


def words_of(error):
    """What an exception says, if it can."""
    try:
        return str(error)
    except Exception:
        return "it can't be told what"


def serve(environ, app=None, aloud=False):
    """Answers one request; gives the status to exit with where the application wants to, or -1."""
    global serving
    serving = not aloud
    environ["wsgi.input"] = io.BufferedReader(Content())
    environ["wsgi.errors"] = errors
    environ["wsgi.file_wrapper"] = FileWrapper
    try:
        run(app or application or find(*lazy), environ, Response())
    except Gone as error:
        # Where the client is to blame, that is what it is told and what is on record.
        fail(str(error).encode())
    except Misuse as error:
        report(str(error), error)
    except SystemExit as error:
        code = error.code
        report(f"the application called sys.exit({'' if code is None else repr(code)})", error)
        return 0 if code is None else code & 255 if isinstance(code, int) else 1
    except KeyboardInterrupt as error:
        report("the application was interrupted (KeyboardInterrupt)", error)
        return 130
    except BaseException as error:
        report(f"the application raised {type(error).__name__}: {words_of(error)}", error)
    finally:
        leave()
        serving = False
    return -1


def hello(environ, start_response):
    """What stands in for the application while the server warms up."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, World!\n"]


def rehearse(environ):
    return serve(environ, hello)


def warm(environ):
    """Has the application answer before it is served; what it says the first time is said aloud."""
    global is_warm
    aloud, is_warm = not is_warm, True
    serve(environ, None, aloud)
    if aloud:
        settle()
    return -1


def find(module, callable):
    __import__(module)
    found = sys.modules[module]
    for name in callable.split("."):
        found = getattr(found, name)
    return found


def stamp(path):
    """What shows that a file has changed."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def file_of(module):
    """The path that a module was loaded from; None where it has none, or is no module."""
    try:
        path = module.__file__
    except Exception:
        return None
    return path if isinstance(path, str) else None


def watch():
    for module in list(sys.modules.values()):
        path = file_of(module)
        # What is watched already may have changed since.
        if path is not None and path not in watched:
            watched[path] = stamp(path)


def has_changed():
    return application is None or any(stamp(path) != was for path, was in watched.items())


def settle():
    """Makes ready to fork, after an import."""
    known.update(sys.modules)
    watch()
    # What is there now is never garbage; a collection in a child would write to each object's page.
    gc.collect()
    gc.freeze()


def may_learn(name, module):
    """Whether what a child imported may be imported before the fork, though nobody asked for it there.

    Of the standard library, and of installed packages that are loaded anyway. Not the application's own
    modules and no other package: it may be on purpose that they are imported after the fork.
    """
    top = name.partition(".")[0]
    if top in getattr(sys, "stdlib_module_names", ()):
        # One of the application's own may have such a name.
        path = file_of(module) or ""
        return name in sys.builtin_module_names or path.startswith(os.path.dirname(os.__file__) + os.sep)
    if top not in known or top == lazy[0].partition(".")[0]:
        return False
    # A namespace package has no file: its parts are packages of their own.
    path = file_of(sys.modules.get(top)) or ""
    return any(f"{os.sep}{folder}{os.sep}{top}{os.sep}" in path for folder in ("site-packages", "dist-packages"))


def unlearned(most):
    """In a child: the names of what it imported and its parent may import, those that fit in `most` bytes."""
    if application is None:
        return b""
    names = [
        name for name, module in list(sys.modules.items()) if name not in known and may_learn(name, module)]
    text = "\n".join(names).encode("utf-8", "backslashreplace")
    return text if len(text) <= most else text[:most].rpartition(b"\n")[0]


def learn(names):
    """In the parent: imports what a child had to; what fails is not tried again."""
    for name in names.decode().split("\n"):
        known.add(name)
        try:
            __import__(name)
        except BaseException:
            # The child that comes to it will meet it, and say so.
            pass
    settle()
    leave()


def left():
    """In a new process: what the application forked has no part in the exchange."""
    global serving
    serving = False
    if forked():
        # The process that forks handles these itself; whoever it forks has the application's own.
        for number, handler in handlers.items():
            signal.signal(number, handler)


def load(folder, module, callable, lazily):
    """Imports the application and makes ready to fork; False where that failed, and was said."""
    global application, errors, lazy
    # As python3 has them: else a pipe that nobody reads would end a child.
    stops = signal.SIGINT, signal.SIGTERM, signal.SIGCHLD
    for number in stops:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # Standard output is the recorder's own: an application's words go with its exchange.
    sys.stdout = sys.stderr = errors = kept_stream()
    sys.argv = [""]
    sys.path.insert(0, folder)
    os.register_at_fork(after_in_child=left)
    lazy = module, callable
    if not lazily:
        try:
            found = find(module, callable)
        except BaseException as error:
            sys.stderr.write(trace(error))
            return False
        if not hasattr(found, "__call__"):
            sys.stderr.write(f"{module}:{callable} is {type(found).__name__} and can't be called.\n")
            return False
        application = found
        handlers.update((number, signal.getsignal(number)) for number in stops)
        for number, handler in list(handlers.items()):
            if handler in (signal.SIG_DFL, None):
                del handlers[number]
    settle()
    return True


def leave():
    """Flushes what was printed; the streams may be others than those given."""
    for stream in (errors, sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
