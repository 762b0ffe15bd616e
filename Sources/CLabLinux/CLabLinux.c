#define _GNU_SOURCE
#include "CLabLinux.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct clab_poll) == sizeof(struct pollfd), "clab_poll is pollfd");
_Static_assert(CLAB_IN == POLLIN && CLAB_OUT == POLLOUT && CLAB_ERR == POLLERR && CLAB_HUP == POLLHUP
                   && CLAB_RDHUP == POLLRDHUP, "poll's flags");
_Static_assert(CLAB_IN == EPOLLIN && CLAB_OUT == EPOLLOUT && CLAB_ERR == EPOLLERR && CLAB_HUP == EPOLLHUP
                   && CLAB_RDHUP == EPOLLRDHUP, "epoll's flags are poll's");

static volatile uint64_t children_seen;
static volatile int64_t last_child_ns;
static volatile uint32_t stops_seen;
static sigset_t waiting_mask; /* what stays blocked inside clab_ppoll */

static void on_child(int signal_number) {
    int saved = errno;
    (void)signal_number;
    children_seen++;
    last_child_ns = clab_monotonic_ns();
    errno = saved;
}

static void on_stop(int signal_number) {
    (void)signal_number;
    stops_seen++;
}

static void handled(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

int clab_signals_install(void) {
    sigset_t set;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigfillset(&action.sa_mask);
    handled(&set);
    if (sigprocmask(SIG_BLOCK, &set, &waiting_mask)) return -1;
    sigdelset(&waiting_mask, SIGCHLD);
    sigdelset(&waiting_mask, SIGINT);
    sigdelset(&waiting_mask, SIGTERM);
    action.sa_handler = on_child;
    action.sa_flags = SA_NOCLDSTOP;
    if (sigaction(SIGCHLD, &action, NULL)) return -1;
    action.sa_handler = on_stop;
    action.sa_flags = 0;
    if (sigaction(SIGINT, &action, NULL)) return -1;
    return sigaction(SIGTERM, &action, NULL);
}

struct clab_signals clab_signals_seen(void) {
    struct clab_signals seen = {children_seen, last_child_ns, stops_seen};
    return seen;
}

int clab_child_signal_pending(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGCHLD) == 1;
}

void clab_signals_let(void) { sigprocmask(SIG_SETMASK, &waiting_mask, NULL); }

void clab_signals_hold(void) {
    sigset_t set;
    handled(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void clab_signals_reset(void) {
    sigset_t none;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t clab_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ? -1 : info.si_pid;
}

pid_t clab_reap(pid_t pid, int *status, struct rusage *usage) { return wait4(pid, status, WNOHANG, usage); }

int clab_exit_code(int status) { return WEXITSTATUS(status); }
int clab_signalled(int status) { return WIFSIGNALED(status); }
int clab_term_signal(int status) { return WTERMSIG(status); }

int clab_signal_child(pid_t pid, int signal_number) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    /* No descriptor to be had, or an old kernel: a child that was not waited for keeps its number all the same. */
    if (process < 0) return errno == ESRCH ? -1 : kill(pid, signal_number);
    int sent = (int)syscall(SYS_pidfd_send_signal, process, signal_number, NULL, 0);
    int saved = errno;
    close(process);
    errno = saved;
    return sent;
}

int clab_signal_child_group(pid_t pid, int signal_number) {
    /* While the leader is not waited for, no other group can have its number. One that has just been forked
     * leads none yet. */
    int sent = kill(-pid, signal_number);
    return sent == 0 && signal_number != SIGKILL ? 0 : clab_signal_child(pid, signal_number);
}

int clab_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
int clab_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

static int thread_count(void) {
    /* Field 20 of /proc/self/stat; the name in parentheses may itself hold spaces and parentheses. */
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return -1;
    text[length] = 0;
    char *at = strrchr(text, ')');
    if (!at) return -1;
    for (int field = 2; field < 20; field++) {
        at = strchr(at + 1, ' ');
        if (!at) return -1;
    }
    return atoi(at + 1);
}

int clab_has_one_thread(void) {
    /* unshare(2): of a process of one thread there is nothing to undo, and of any other it can't be. */
    if (unshare(CLONE_THREAD) == 0) return 1;
    if (errno == EINVAL) return 0;
    int count = thread_count();
    return count < 0 ? -1 : count == 1;
}

int clab_socket_of(pid_t pid, int number) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) return -1;
    int copy = (int)syscall(SYS_pidfd_getfd, process, number, 0);
    int saved = errno;
    close(process);
    errno = saved;
    return copy;
}

int clab_close_from(int first) { return (int)syscall(SYS_close_range, first, ~0u, 0); }

int clab_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t size = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &size, SOCK_CLOEXEC);
}

int64_t clab_quiet_ns(int socket_fd) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(socket_fd, IPPROTO_TCP, TCP_INFO, &info, &size)) return -1;
    /* The later segments of a client that sent its request at once leave one of the two untouched. */
    uint32_t ms = info.tcpi_last_ack_recv > info.tcpi_last_data_recv ? info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
    return (int64_t)ms * 1000000;
}

int clab_listen_queue(int listener, struct clab_listen_queue *queue) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size)) return -1;
    /* Of a socket that listens these two are its queue and the most that it holds (tcp_get_info). */
    queue->waiting = info.tcpi_unacked;
    queue->room = info.tcpi_sacked;
    uint32_t memory[SK_MEMINFO_VARS];
    size = sizeof memory;
    if (getsockopt(listener, SOL_SOCKET, SO_MEMINFO, memory, &size)) return -1;
    queue->dropped = memory[SK_MEMINFO_DROPS];
    return 0;
}

int clab_packet_pair(int pair[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair); }

void clab_widen(int socket_fd, int bytes) {
    /* FORCE needs CAP_NET_ADMIN; without it the system's limit (wmem_max) holds. */
    if (setsockopt(socket_fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes))
        setsockopt(socket_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int clab_receive_many(int socket_fd, uint8_t *buffer, size_t size, uint32_t *lengths, int count, int wait) {
    enum { most = 64 };
    struct mmsghdr messages[most];
    struct iovec places[most];
    if (count > most) count = most;
    memset(messages, 0, sizeof(struct mmsghdr) * (size_t)count);
    for (int i = 0; i < count; i++) {
        places[i].iov_base = buffer + (size_t)i * size;
        places[i].iov_len = size;
        messages[i].msg_hdr.msg_iov = &places[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int got = recvmmsg(socket_fd, messages, (unsigned)count, wait ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        lengths[i] = messages[i].msg_len;
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            errno = EMSGSIZE;
            return -1;
        }
        /* A datagram of no bytes is never sent: it is the end, for the senders are all gone. */
        if (lengths[i] == 0) return i;
    }
    return got;
}

void clab_no_delay(int socket_fd) {
    int on = 1;
    setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int clab_set_blocking(int fd, int blocks) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

int clab_pipe(int pair[2]) { return pipe2(pair, O_CLOEXEC); }

static struct timespec *timeout_of(struct timespec *time, int64_t timeout_ns) {
    if (timeout_ns < 0) return NULL;
    time->tv_sec = timeout_ns / 1000000000;
    time->tv_nsec = timeout_ns % 1000000000;
    return time;
}

int clab_ppoll(struct clab_poll *polls, int count, int64_t timeout_ns) {
    struct timespec time;
    return ppoll((struct pollfd *)polls, (nfds_t)count, timeout_of(&time, timeout_ns), &waiting_mask);
}

int clab_poll(struct clab_poll *polls, int count, int64_t timeout_ns) {
    struct timespec time;
    return ppoll((struct pollfd *)polls, (nfds_t)count, timeout_of(&time, timeout_ns), NULL);
}

int clab_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, operation, fd, &event);
}

int clab_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return epoll_control(epoll, EPOLL_CTL_ADD, fd, events, data);
}
int clab_epoll_change(int epoll, int fd, uint32_t events, uint64_t data) {
    return epoll_control(epoll, EPOLL_CTL_MOD, fd, events, data);
}

/* Set once, by whichever thread finds out first; all of them would set the same. */
static _Atomic int pwait2_is_missing;

/* At most an hour, which is for ever in a loop. */
static int64_t milliseconds_of(int64_t timeout_ns) {
    if (timeout_ns < 0) return -1;
    return timeout_ns / 1000000 < 3600000 ? timeout_ns / 1000000 : 3600000;
}

int clab_epoll_is_fine(void) {
    int epoll = clab_epoll_create();
    struct clab_event event;
    if (epoll < 0) return !pwait2_is_missing;
    clab_epoll_wait(epoll, &event, 1, 0);
    close(epoll);
    return !pwait2_is_missing;
}

void clab_sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0); }

int clab_give_way(int gives_way) {
    struct sched_param priority = {0};
    return sched_setscheduler(0, gives_way ? SCHED_IDLE : SCHED_OTHER, &priority) == 0;
}

int clab_processors(void) {
    cpu_set_t set;
    /* A machine with more processors than a set holds: they are enough. */
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : CPU_SETSIZE;
}

int clab_epoll_wait(int epoll, struct clab_event *events, int most, int64_t timeout_ns) {
    struct epoll_event ready[256];
    struct timespec time;
    int count = -1;
    if (most > 256) most = 256;
    if (!pwait2_is_missing) {
        count = epoll_pwait2(epoll, ready, most, timeout_of(&time, timeout_ns), NULL);
        if (count < 0 && errno == ENOSYS) pwait2_is_missing = 1;
    }
    if (pwait2_is_missing) count = epoll_wait(epoll, ready, most, (int)milliseconds_of(timeout_ns));
    for (int i = 0; i < count; i++) {
        events[i].data = ready[i].data.u64;
        events[i].events = ready[i].events;
    }
    return count;
}
