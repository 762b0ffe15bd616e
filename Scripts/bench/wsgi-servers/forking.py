# A WSGI server of the tutorial's shape in Python 3: a process for each connection, children reaped on
# SIGCHLD in a loop, nothing recorded. The environ is the tutorial's, which a framework can just work with.
import datetime
import io
import os
import signal
import socket
import sys


def reap(signal_number, frame):
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except OSError:
            return
        if pid == 0:
            return


def answer(connection, application, name, port):
    request = connection.recv(1024)
    lines = request.decode("latin-1").splitlines()
    method, target, version = lines[0].split()
    path, _, query = target.partition("?")
    environ = {
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False, "REQUEST_METHOD": method,
        "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": name, "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": version,
    }
    for line in lines[1:]:
        field, colon, value = line.partition(":")
        if colon:
            environ["HTTP_" + field.upper().replace("-", "_")] = value.strip()
    head = []

    def start_response(status, headers, exc_info=None):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        head[:] = [status, headers + [("Date", now), ("Server", "forking")]]

    blocks = application(environ, start_response)
    response = f"HTTP/1.1 {head[0]}\r\n" + "".join("%s: %s\r\n" % field for field in head[1]) + "Connection: close\r\n\r\n"
    connection.sendall(response.encode("latin-1") + b"".join(blocks))


def serve(application):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    name, port = listener.getsockname()
    signal.signal(signal.SIGCHLD, reap)
    print(f"listening on http://{name}:{port}", file=sys.stderr, flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            answer(connection, application, name, port)
            connection.close()
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    from hello import app

    serve(app)
