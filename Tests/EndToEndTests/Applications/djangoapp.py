# The tutorial's Django application, its project in this one file.
import django.conf
import django.core.wsgi
import django.http
import django.urls

django.conf.settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of a test")


def hello(request):
    return django.http.HttpResponse("Hello from Django!\n", content_type="text/plain")


urlpatterns = [django.urls.path("hello", hello)]
app = django.core.wsgi.get_wsgi_application()
