# The tutorial's plain application: no framework at all.


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello from a plain WSGI application!\n"]
