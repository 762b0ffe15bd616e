# Imports, at a request, what its target names; answers what was there before, by the modules' names.
#
# In site-packages stand a package that is loaded with the application (depot) and one that is not (apart).
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "site-packages"))
import depot


def app(environ, start_response):
    there = []
    for name in environ["QUERY_STRING"].split(","):
        if name in sys.modules:
            there.append(name)
        __import__(name)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(there).encode()]
