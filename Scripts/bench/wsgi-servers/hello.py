# The application that all servers of this measurement host.
import flask

app = flask.Flask("hello")


@app.route("/")
def hello():
    return flask.Response("Hello, World!\n", mimetype="text/plain")
