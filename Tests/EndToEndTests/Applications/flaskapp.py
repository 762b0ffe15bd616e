# The tutorial's Flask application.
import flask

app = flask.Flask("flaskapp")


@app.route("/hello", methods=["GET", "POST"])
def hello():
    return flask.Response("Hello from Flask!\n", mimetype="text/plain")
