/* The kernel's names that Swift's Glibc lacks: because the header is not in its module map, because
 * they are macros, or because they must be C (a signal handler runs no Swift).
 * Each function can go when Swift's Glibc has its name. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* --- time ------------------------------------------------------------------------------------ */

/* Nanoseconds of CLOCK_MONOTONIC: never set, never stepped, not counted while suspended. */
static inline int64_t clab_monotonic_ns(void);

/* --- signals --------------------------------------------------------------------------------- */

/* What the handlers have seen since the process began. A handler adds to these and does no more. */
struct clab_signals {
    uint64_t children;      /* SIGCHLD delivered */
    int64_t last_child_ns;  /* when the last of them was */
    uint32_t stops;         /* SIGINT and SIGTERM delivered */
};

/* Installs the handlers for SIGCHLD, SIGINT and SIGTERM, without SA_RESTART, and blocks all three:
 * they are delivered inside clab_ppoll only. Returns 0, or -1 with errno. */
int clab_signals_install(void);

/* What was delivered so far. */
struct clab_signals clab_signals_seen(void);

/* Whether a SIGCHLD waits to be delivered: a child has died since clab_ppoll returned. */
int clab_child_signal_pending(void);

/* Lets the three arrive anywhere, and blocks them again: where the process that waits in clab_ppoll also
 * runs an application, whose programs would inherit what is blocked. */
void clab_signals_let(void);
void clab_signals_hold(void);

/* In a new child: default handlers, nothing blocked. */
void clab_signals_reset(void);

/* --- processes ------------------------------------------------------------------------------- */

/* A child that has ended and was not waited for, left as it is: waitid(WNOWAIT). Its PID, 0 where all
 * live, -1 with errno. */
pid_t clab_ended_child(void);

/* wait4(pid, WNOHANG): the PID where that child had ended, 0 where it lives, -1 with errno. */
pid_t clab_reap(pid_t pid, int *status, struct rusage *usage);

/* The macros of wait(2). */
int clab_exit_code(int status);
int clab_signalled(int status);
int clab_term_signal(int status);

/* A signal to a child that was not waited for when this is called, so that its PID is still its own; by
 * pidfd_send_signal(2), or kill(2) where no pidfd is to be had (5.3; EMFILE). 0 or -1. */
int clab_signal_child(pid_t pid, int signal_number);

/* PR_SET_CHILD_SUBREAPER: orphaned descendants become children of this process. 0 or -1. */
int clab_become_subreaper(void);

/* PR_SET_PDEATHSIG: SIGKILL for this process when its parent dies. 0 or -1. */
int clab_die_with_parent(void);

/* Puts the text of the executable or library that `place` lies in on anonymous huge pages. A fork does not
 * copy the mappings of a file, so each child would fault on every 64 KiB of text that it runs (28 faults of
 * 41 here); huge anonymous pages are copied as one entry per 2 MiB. It is done for each 2 MiB that hold
 * nothing but what stands in the file and is not written to; what is constant there can be executed
 * after. Returns 0, or -1 where the system or the layout does not allow it, and then nothing has changed. */
int clab_text_on_huge_pages(const void *place);

/* A place in the text of this executable. */
const void *clab_own_text(void);

/* Has each later fork copy, at once, the pages of this process that it shares with no child: call it
 * while a child lives that has done what children do, after doing what this process does between
 * forks, and these are the pages that both will write to again. A page that is copied at the fork costs
 * a quarter of one that is copied by two faults. The kernel does so for pages that are pinned for I/O
 * (folio_needs_cow_for_dma in mm/memory.c); here a registered buffer of an unused io_uring pins them.
 * Returns how many pages, or -1 where io_uring is off or too old (5.18), and then nothing has changed. */
int clab_copy_at_fork(void);

/* What a child tells its parent at its end, in memory that they share; NULL with errno. */
struct clab_written;
struct clab_written *clab_written_room(void);

/* In a child: whether it is the one that tells in this round, from 1 on; of those that ask the first is. */
int clab_take_round(struct clab_written *written, int round);

/* Room for names, of CLAB_NAMES_SIZE bytes. */
enum { CLAB_NAMES_SIZE = 32 << 10 };
char *clab_names_room(struct clab_written *written);

/* In that child: notes the pages that it alone maps now: those that it has written to. */
void clab_note_written(struct clab_written *written);

/* In that child: it has told, and this is the size of the names. */
void clab_tell(struct clab_written *written, size_t names_size);

/* Whether the child of this round has told, and the size of the names. */
int clab_was_told(const struct clab_written *written, int round, size_t *names_size);

/* As clab_copy_at_fork, for the noted pages, as far as this process has them too, if they are `most` at
 * most. How many, or -1 and nothing has changed. */
int clab_copy_written_at_fork(const struct clab_written *written, int most);

/* Puts this process's memory on huge pages, as far as that can be had (Linux 6.1): a fork and the
 * child's end then have a step for 512 pages. A page of them that a child writes to is copied as ever. */
void clab_on_huge_pages(void);

/* Memory of zeros that a child of this process does not get: to write to it costs no copy after a fork.
 * NULL with errno. */
void *clab_unshared_memory(size_t size);

/* Whether this process has one thread, which alone makes it safe to go on after a fork. 1 or 0; -1
 * where it can't be known. */
int clab_has_one_thread(void);

/* A copy of the descriptor `number` of a child, by pidfd_getfd(2): the caller owns it. -1 with errno,
 * as where the kernel is older than 5.6 or forbids it. */
int clab_socket_of(pid_t pid, int number);

/* Closes every descriptor from `first` up, by close_range(2): what a user's shell left open is held by
 * no child of this process then. 0, or -1 where the kernel is older than 5.9, and then all stay open. */
int clab_close_from(int first);

/* --- programs -------------------------------------------------------------------------------- */

/* Runs a program by fork(2) and execve(2): `standard` become its descriptors 0, 1 and 2, every other one
 * is closed, all signals have their defaults and none is blocked, and it gets SIGKILL when this process
 * dies. It works in `folder`. Returns its PID, which the caller waits for, or -1 with the errno of what
 * failed. */
pid_t clab_run_program(const char *path, char *const *arguments, char *const *variables, const char *folder,
                       const int standard[3]);

/* A descriptor that can be read from once the process has ended (pidfd_open(2)); the caller owns it. -1
 * where the kernel is older than 5.3. */
int clab_watch_process(pid_t pid);

/* waitpid(2), with WNOHANG unless it `waits`: whether the child had ended, and now is reaped. */
int clab_wait_for(pid_t pid, int waits, int *status);

/* A signal to all others of this process's group. */
void clab_signal_own_group(int signal_number);

/* A signal to a child that leads a process group and was not waited for, and to all of that group. SIGKILL
 * reaches it also where it has left the group. 0 or -1. */
int clab_signal_child_group(pid_t pid, int signal_number);

/* Ignores SIGPIPE in this process. */
void clab_ignore_broken_pipes(void);

/* A file without a name, close-on-exec, on disk where TMPDIR or /tmp allows it, else in memory. -1 with
 * errno. */
int clab_unnamed_file(void);

/* --- sockets --------------------------------------------------------------------------------- */

/* accept4(2) with SOCK_CLOEXEC; the accepted socket blocks. The caller owns it. -1 with errno. */
int clab_accept(int listener, struct sockaddr_storage *peer);

/* How long an accepted TCP connection had been quiet, which is how long it waited to be accepted where
 * its request had come before: ns, to the kernel's tick. -1 where the system does not say. */
int64_t clab_quiet_ns(int socket_fd);

/* A listening TCP socket's queue: how many wait in it, how many it holds, and how many the kernel has
 * dropped since it listens. 0 or -1. */
struct clab_listen_queue { uint32_t waiting, room, dropped; };
int clab_listen_queue(int listener, struct clab_listen_queue *queue);

/* A connected pair of SOCK_SEQPACKET sockets, close-on-exec. 0 or -1. */
int clab_packet_pair(int pair[2]);

/* Asks for a send buffer of `bytes`; what the system allows is what one gets. */
void clab_widen(int socket_fd, int bytes);

/* Receives up to `count` datagrams of at most `size` bytes each into `buffer`, one after another at
 * multiples of `size`; their lengths go to `lengths`. Waits for the first only where `wait` is not 0.
 * Returns how many, 0 at the end of the stream, -1 with errno. */
int clab_receive_many(int socket_fd, uint8_t *buffer, size_t size, uint32_t *lengths, int count, int wait);

/* Turns Nagle's algorithm off. */
void clab_no_delay(int socket_fd);

/* O_NONBLOCK on or off. 0 or -1. */
int clab_set_blocking(int fd, int blocks);

/* A close-on-exec pipe. 0 or -1. */
int clab_pipe(int pair[2]);

/* --- waiting --------------------------------------------------------------------------------- */

struct clab_poll { int fd; short events; short revents; };

/* ppoll(2) with SIGCHLD, SIGINT and SIGTERM unblocked while it waits; timeout_ns < 0 waits for ever.
 * Returns how many descriptors are ready, 0 for none, -1 with errno (EINTR when a signal came). */
int clab_ppoll(struct clab_poll *polls, int count, int64_t timeout_ns);

/* poll(2) for processes that do not block those signals; timeout_ns < 0 waits for ever. */
int clab_poll(struct clab_poll *polls, int count, int64_t timeout_ns);

enum { CLAB_IN = 1, CLAB_OUT = 4, CLAB_ERR = 8, CLAB_HUP = 16, CLAB_RDHUP = 0x2000 };

/* epoll_event without its packing. */
struct clab_event { uint64_t data; uint32_t events; };

/* epoll(7), level-triggered; the caller owns the descriptor. */
int clab_epoll_create(void);
int clab_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int clab_epoll_change(int epoll, int fd, uint32_t events, uint64_t data);
/* At most 256 events; timeout_ns < 0 waits for ever. How many, or -1 with errno. By epoll_pwait2(2); where
 * the kernel has none (before 5.11) by epoll_wait(2), which counts milliseconds: rounded down, so that a
 * wait never ends late, and its last millisecond is spent in calls that do not wait. */
int clab_epoll_wait(int epoll, struct clab_event *events, int most, int64_t timeout_ns);

/* Whether waits end on the nanosecond: 1, or 0 where the kernel has no epoll_pwait2. */
int clab_epoll_is_fine(void);

/* Timers of the calling thread go off when they are due; otherwise the kernel lets them be up to 50 µs
 * late, to save wake-ups (PR_SET_TIMERSLACK). */
void clab_sharpen_timers(void);

/* Lets the calling thread give way to any other that wakes up (SCHED_IDLE), or no more; whether it could
 * be done: without a privilege there is no way back. A thread that is merely nice may keep a processor
 * until the next tick, and what is to be sent meanwhile is milliseconds late. */
int clab_give_way(int gives_way);

/* How many processors the calling thread may run on. */
int clab_processors(void);

/* --------------------------------------------------------------------------------------------- */

/* A number that one thread writes while others read it, without any order towards what else is written. */
static inline int64_t clab_load(const int64_t *number) { return __atomic_load_n(number, __ATOMIC_RELAXED); }
static inline void clab_store(int64_t *number, int64_t value) { __atomic_store_n(number, value, __ATOMIC_RELAXED); }

#include <time.h>
static inline int64_t clab_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
