/* The least that a server with a process per connection can do, for Scripts/bench/record to measure
 * lab against. It reads one request without looking at it, answers 13 bytes and is gone; the parent
 * collects what has died. Nothing is parsed, nothing is kept.
 *
 *     cc -O2 -o forkserver forkserver.c && ./forkserver        prints the port that it took */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: close\r\n\r\n"
    "Hello, World!";

static void collect(int signal_number)
{
    (void)signal_number;
    int kept = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = kept;
}

static int serve(int client)
{
    char request[8192];
    if (read(client, request, sizeof request) <= 0)
        return 1;
    return write(client, answer, sizeof answer - 1) == (ssize_t)(sizeof answer - 1) ? 0 : 1;
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, size) < 0 ||
        listen(listener, 1024) < 0 || getsockname(listener, (struct sockaddr *)&here, &size) < 0) {
        fprintf(stderr, "forkserver: cannot listen: %s\n", strerror(errno));
        return 2;
    }
    struct sigaction action = {.sa_handler = collect, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    fprintf(stderr, "forkserver: listening on http://127.0.0.1:%d\n", ntohs(here.sin_port));

    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        pid_t child = fork();
        if (child == 0)
            _exit(serve(client));
        if (child < 0)
            fprintf(stderr, "forkserver: cannot fork: %s\n", strerror(errno));
        close(client);
    }
}
