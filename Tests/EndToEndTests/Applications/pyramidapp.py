# The tutorial's Pyramid application.
import pyramid.config
import pyramid.response


def hello(request):
    return pyramid.response.Response("Hello from Pyramid!\n", content_type="text/plain")


config = pyramid.config.Configurator()
config.add_route("hello", "/hello")
config.add_view(hello, route_name="hello")
app = config.make_wsgi_app()
