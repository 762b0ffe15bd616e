# A server that logs what it got on which connection, in the order in which it got it:
#
#     python3 order-log.py TOGETHER
#
# prints "listening on PORT", then a line "CONNECTION<tab>METHOD TARGET" for each request. No connection is
# answered before TOGETHER of them are open, so that as many are under way at once.
import socket
import sys
import threading

together = int(sys.argv[1])
opened = threading.Condition()
count = 0


def say(line):
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def read_content(stream, fields):
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        while size := int(stream.readline().split(b";")[0], 16):
            stream.read(size + 2)
        while stream.readline().strip():
            pass
    else:
        stream.read(int(fields.get(b"content-length", b"0")))


def serve(connection, number):
    stream = connection.makefile("rb")
    while line := stream.readline():
        method, rest = line.split(b" ", 1)
        target, version = rest.rstrip().rsplit(b" ", 1)
        fields = {}
        while field := stream.readline().strip():
            name, value = field.split(b":", 1)
            fields[name.lower()] = value.strip().lower()
        if b"expect" in fields:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        read_content(stream, fields)
        with opened:
            say(b"%d\t%s %s" % (number, method, target))
            opened.wait_for(lambda: count >= together)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if version == b"HTTP/1.0" or fields.get(b"connection") == b"close":
            break
    stream.close()
    connection.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=512)
say(b"listening on %d" % listener.getsockname()[1])
while True:
    connection, _ = listener.accept()
    with opened:
        count += 1
        number = count
        opened.notify_all()
    threading.Thread(target=serve, args=(connection, number), daemon=True).start()
