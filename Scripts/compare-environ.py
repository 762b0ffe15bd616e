"""Sends odd requests to `lab record` and to servers that everybody knows, each of which shows its application's
environ, and compares the environs variable by variable.

    compare-environ.py [--write] [REASONS]

Each difference needs a reason in REASONS (Scripts/environ-differences.tsv); one without a reason, and a reason without
a difference, make it exit with 1. With --write it puts the table into the guide, else it checks that it is there. LAB
is the lab to run.
"""

import contextlib
import fnmatch
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REASONS = ROOT / "Scripts" / "environ-differences.tsv"
GUIDE = ROOT / "Sources" / "lab" / "Documentation.docc" / "Environ.md"
BEGIN, END = "<!-- Scripts/compare-environ --write -->", "<!-- end -->"

# Each writes what it was told where the comparison finds it, also where its answer has no content.
PROGRAM = """#!/usr/bin/python3 -SE
import os, sys
own = open('/proc/self/environ', 'rb').read()
with open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'seen', 'environ'), 'wb') as file:
    file.write(own)
sys.stdin.buffer.read()
print('Content-Type: text/plain\\n\\nseen')
"""


APPLICATION = """import os

seen = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'seen', 'environ')


def told(value):
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, (bool, int, tuple, type(None))) else 'an object'


def application(environ, start_response):
    pairs = [f'{name}={told(value)}'.replace('\\0', '\\\\0') for name, value in environ.items()]
    environ['wsgi.input'].read()
    with open(seen, 'wb') as file:
        file.write(b''.join(pair.encode('utf-8', 'surrogateescape') + b'\\0' for pair in pairs))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'seen']
"""


def get(target, *fields, method="GET", version="1.1", host="Host: {authority}", content=b""):
    """A request's bytes; {authority} stands for the server's own name."""
    lines = [f"{method} {target} HTTP/{version}"] + ([host] if host else []) + list(fields)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def post(*fields, content=b"a=1", length=True, method="POST"):
    more = [f"Content-Length: {len(content)}"] if length else []
    return get("/env", *fields, *more, method=method, content=content)


FORM = "Content-Type: application/x-www-form-urlencoded"
REQUESTS = {
    "plain": get("/env"),
    "path": get("/env/a/b"),
    "path-slash": get("/env/"),
    "path-space": get("/env/a%20b"),
    "path-plus": get("/env/a+b"),
    "path-utf8": get("/env/%C3%A9"),
    "path-latin1": get("/env/%E9"),
    "path-raw-byte": get("/env/\xe9"),
    "path-encoded-slash": get("/env/a%2Fb"),
    "path-encoded-percent": get("/env/a%252Fb"),
    "path-bad-percent": get("/env/%zz"),
    "path-last-percent": get("/env/%"),
    "path-nul": get("/env/%00"),
    "path-line-end": get("/env/a%0D%0Ab"),
    "path-backslash": get("/env/a%5Cb"),
    "path-dots": get("/env/a/../b"),
    "path-encoded-dots": get("/env/a/%2e%2e/b"),
    "path-dots-out": get("/env/../../env"),
    "path-double-slash": get("/env//a"),
    "path-first-double-slash": get("//env/a"),
    "path-semicolon": get("/env/a;p=1"),
    "path-missing": get("/none"),
    "query": get("/env?a=1&b=2"),
    "query-empty": get("/env?"),
    "query-encoded": get("/env/p?a=%20%2F+x"),
    "query-question": get("/env?a?b"),
    "query-words": get("/env?one+two"),
    "fragment": get("/env#a"),
    "head": get("/env", method="HEAD"),
    "post": post(FORM),
    "post-chunked": get(
        "/env", FORM, "Transfer-Encoding: chunked", method="POST", content=b"3\r\na=1\r\n0\r\n\r\n"
    ),
    "post-no-type": post(),
    "post-empty": post(FORM, content=b""),
    "post-leading-zero": get("/env", FORM, "Content-Length: 003", method="POST", content=b"a=1"),
    "post-expect": post(FORM, "Expect: 100-continue"),
    "put": post(FORM, method="PUT"),
    "get-content": post(FORM, method="GET"),
    "get-type": get("/env", FORM),
    "options": get("/env", method="OPTIONS"),
    "options-asterisk": get("*", method="OPTIONS"),
    "method-unknown": get("/env", method="BREW"),
    "method-lowercase": get("/env", method="get"),
    "trace": get("/env", method="TRACE"),
    "version-1.0": get("/env", version="1.0"),
    "no-host-1.0": get("/env", version="1.0", host=None),
    "no-host": get("/env", host=None),
    "host-other": get("/env", host="Host: other.example"),
    "host-port": get("/env", host="Host: other.example:99"),
    "host-capitals": get("/env", host="Host: OTHER.example"),
    "host-empty": get("/env", host="Host:"),
    "absolute": get("http://{authority}/env/a?b"),
    "absolute-other-host": get("http://{authority}/env", host="Host: other.example"),
    "field-twice": get("/env", "X-A: one", "X-A: two"),
    "field-twice-mixed-case": get("/env", "X-A: one", "x-a: two"),
    "cookie-twice": get("/env", "Cookie: a=1", "Cookie: b=2"),
    "field-empty": get("/env", "X-A:"),
    "field-blanks": get("/env", "X-A: \t a \t "),
    "field-high-bytes": get("/env", "X-A: \xe9\xff"),
    "field-underscore": get("/env", "X-User: good", "X_User: evil"),
    "field-underscore-alone": get("/env", "X_User: evil", "Content_Length: 9"),
    "field-other-signs": get("/env", "X!A: 1", "X.A: 2", "X~A: 3"),
    "field-digits": get("/env", "X-1: a"),
    "proxy": get("/env", "Proxy: http://evil.example"),
    "authorization": get("/env", "Authorization: Basic eDp5"),
    "proxy-authorization": get("/env", "Proxy-Authorization: Basic eDp5"),
    "connection": get("/env", "Connection: close, X-A", "X-A: a", "Keep-Alive: 5"),
    "te-upgrade": get("/env", "TE: trailers", "Upgrade: a", "Connection: upgrade, te"),
    "range": get("/env", "Range: bytes=0-1", "If-None-Match: *"),
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """One server, in a folder of its own, with an application that answers at /env."""

    file, text, mode, coding = "env", PROGRAM, 0o755, "latin-1"

    def __init__(self, folder):
        self.folder = folder
        self.programs = folder / "programs"
        self.seen = folder / "seen" / "environ"
        for path in (self.programs, self.seen.parent):
            path.mkdir(parents=True)
        # The server may run as another user.
        for path in (folder, self.programs):
            path.chmod(0o755)
        self.seen.parent.chmod(0o777)
        program = self.programs / self.file
        program.write_text(self.text)
        program.chmod(self.mode)
        self.port = free_port()
        self.process = None

    def start(self, command, **environment):
        environment |= {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Whoever runs this may have blocked the signal that is to end it.
                preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []),
            )
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        sys.exit(f"{command[0]} does not listen:\n" + (self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit(f"{self.title} does not end")

    def ask(self, request):
        """The status of the answer, and the environ that the application saw, or None."""
        with contextlib.suppress(FileNotFoundError):
            self.seen.unlink()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(request.replace(b"{authority}", b"127.0.0.1:%d" % self.port))
            client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        heads = re.findall(rb"^HTTP/1\.[01] (\d\d\d)", answer, re.M)
        status = next((int(one) for one in heads if one[:1] != b"1"), 0)
        if not self.seen.exists():
            return status, None
        pairs = self.seen.read_bytes().split(b"\0")[:-1]
        return status, {
            name.decode(self.coding): self.plain(value.decode(self.coding))
            for name, _, value in (pair.partition(b"=") for pair in pairs)
        } | {"REMOTE_PORT": "PORT"}

    def plain(self, value):
        """A value without what differs from run to run."""
        value = value.replace(str(self.programs), "DIR").replace(str(self.folder), "ROOT")
        value = re.sub(rf"\b{self.port}\b", "PORT", value)
        return re.sub(r"(Apache|mod_wsgi|Python|gunicorn)/[\d.]+( \(\w+\))?", r"\1", value)


class Lab(Server):
    title = "lab --cgi"

    def __init__(self, folder, *options):
        super().__init__(folder)
        lab = os.environ.get("LAB", str(ROOT / ".build" / "debug" / "lab"))
        session = str(folder / "session.db")
        options = options or ("--cgi", str(self.programs))
        self.start([lab, "record", "--port", str(self.port), "--output", session, *options])


class LabWSGI(Lab):
    title = "lab --app"
    file, text, mode, coding = "app.py", APPLICATION, 0o644, "utf-8"

    def __init__(self, folder):
        place = ("--app-dir", str(folder / "programs"), "--python", "/usr/bin/python3")
        super().__init__(folder, "--app", "app:application", *place)


class Apache(Server):
    modules = "/usr/lib/apache2/modules"

    def __init__(self, folder):
        super().__init__(folder)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        (folder / "apache.conf").write_text(
            f"""
            ServerRoot {folder}
            DefaultRuntimeDir {folder}
            PidFile {folder}/pid
            ErrorLog {folder}/log
            Listen 127.0.0.1:{self.port}
            ServerName server.example
            LoadModule mpm_prefork_module {self.modules}/mod_mpm_prefork.so
            LoadModule authz_core_module {self.modules}/mod_authz_core.so
            LoadModule alias_module {self.modules}/mod_alias.so
            DocumentRoot {folder}/empty
            <Directory {self.programs}>
                Require all granted
            </Directory>
            {self.directives()}
            {user}
            """
        )
        (folder / "empty").mkdir()
        # One process, so that none is left when it is ended.
        self.start(["/usr/sbin/apache2", "-f", str(folder / "apache.conf"), "-X"])


class ApacheCGI(Apache):
    title = "Apache mod_cgi"

    def directives(self):
        return f"LoadModule cgi_module {self.modules}/mod_cgi.so\nScriptAlias / {self.programs}/"


class ApacheWSGI(Apache):
    title = "Apache mod_wsgi"
    file, text, mode, coding = "app.py", APPLICATION, 0o644, "utf-8"

    def directives(self):
        return f"LoadModule wsgi_module {self.modules}/mod_wsgi.so\nWSGIScriptAlias / {self.programs}/app.py"


class Gunicorn(Server):
    title = "gunicorn"
    file, text, mode, coding = "app.py", APPLICATION, 0o644, "utf-8"

    def __init__(self, folder):
        super().__init__(folder)
        python = str(ROOT / ".build" / "venv" / "bin" / "python")
        bind = ("--bind", f"127.0.0.1:{self.port}", "--chdir", str(self.programs))
        self.start([python, "-m", "gunicorn", *bind, "app:application"])


# What is compared with what.
FAMILIES = [(Lab, [ApacheCGI]), (LabWSGI, [ApacheWSGI, Gunicorn])]


def differences(ours, theirs):
    """For one request: the variables that differ, each with both values; None for no such variable."""
    (our_status, our_environ), (their_status, their_environ) = ours, theirs
    if our_environ is None or their_environ is None:
        told = [f"{status}" if environ is None else "runs it" for status, environ in (ours, theirs)]
        return {"(answer)": tuple(told)} if told[0] != told[1] else {}
    names = our_environ.keys() | their_environ.keys()
    found = {name: (our_environ.get(name), their_environ.get(name)) for name in names}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def read_reasons(path):
    lines = path.read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [dict(zip(("server", "variable", "requests", "reason"), row, strict=True)) for row in rows]


def compare():
    """All differences: (server, variable, request, our value, its value)."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for ours, others in FAMILIES:
            servers = [one(pathlib.Path(folder) / one.__name__) for one in (ours, *others)]
            try:
                for name, request in REQUESTS.items():
                    answers = [server.ask(request) for server in servers]
                    for server, answer in zip(servers[1:], answers[1:], strict=True):
                        for variable, pair in sorted(differences(answers[0], answer).items()):
                            found.append((server.title, variable, name, *pair))
            finally:
                for server in servers:
                    server.stop()
    return found


def fits(word, patterns):
    return any(fnmatch.fnmatchcase(word, pattern) for pattern in patterns.split(","))


def shown(value):
    if value is None:
        return "–"
    text = "".join(c if " " <= c < "\x7f" or c == "…" else f"\\x{ord(c):02x}" for c in value)
    return f"`{text}`" if text else "empty"


def table(rows):
    """The table of the guide: one line for each reason."""
    lines = []
    here = {other.title: ours.title for ours, others in FAMILIES for other in others}
    for server in dict.fromkeys(row["server"] for row, _ in rows):
        lines += [""] * bool(lines)
        lines += [f"| variable | {here[server]} | {server} | in | why |", "| --- | --- | --- | --- | --- |"]
        for reason, hits in rows:
            if reason["server"] != server or not hits:
                continue
            _, _, _, ours, theirs = hits[0]
            variable = reason["variable"]
            if any(sign in variable for sign in "*,"):
                ours, theirs = (None if all(hit[i] is None for hit in hits) else "…" for i in (3, 4))
            names = list(dict.fromkeys(hit[2] for hit in hits))
            where = f"{len(names)} requests" if reason["requests"] == "*" else ", ".join(names)
            lines.append(
                f"| `{variable.replace(',', '`, `')}` | {shown(ours)} | {shown(theirs)} | {where} | {reason['reason']} |".replace(
                    "`(answer)`", "the answer"
                )
            )
    return "\n".join(lines)


def main():
    paths = [pathlib.Path(word) for word in sys.argv[1:] if word != "--write"]
    reasons = [(reason, []) for reason in read_reasons(paths[0] if paths else REASONS)]
    unexplained = []
    for hit in compare():
        server, variable, request, ours, theirs = hit
        for reason, hits in reasons:
            if reason["server"] == server and fits(variable, reason["variable"]) and fits(request, reason["requests"]):
                hits.append(hit)
                break
        else:
            unexplained.append(hit)
    for server, variable, request, ours, theirs in unexplained:
        print(f"no reason: {server}, {request}: {variable} is {shown(ours)} here, {shown(theirs)} there", file=sys.stderr)
    stale = [reason for reason, hits in reasons if not hits]
    for reason in stale:
        print(f"no such difference: {reason['server']}, {reason['variable']}, {reason['requests']}", file=sys.stderr)
    text = table(reasons)
    print(text)
    page = GUIDE.read_text()
    before, _, rest = page.partition(BEGIN)
    current = f"{BEGIN}\n\n{text}\n\n"
    if "--write" in sys.argv[1:]:
        GUIDE.write_text(before + current + END + rest.partition(END)[2])
    elif not unexplained and not stale and current not in page:
        print("the table in Environ.md is another one: Scripts/compare-environ --write", file=sys.stderr)
        stale.append(None)
    sys.exit(1 if unexplained or stale else 0)


main()
