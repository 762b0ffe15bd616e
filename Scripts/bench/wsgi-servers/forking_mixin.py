# The standard library's own: wsgiref under ForkingMixIn.
import socketserver
import sys
import wsgiref.simple_server

from hello import app


class Server(socketserver.ForkingMixIn, wsgiref.simple_server.WSGIServer):
    request_queue_size = 1024
    max_children = 1000


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *words):
        pass

    def address_string(self):
        return self.client_address[0]


server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, Server, Quiet)
print(f"listening on http://127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
server.serve_forever()
