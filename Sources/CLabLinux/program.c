#define _GNU_SOURCE
#include "CLabLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the new process says why it could not become the program; closed by the exec. */
enum { complaint = 3 };

static void close_the_rest(void) {
    if (syscall(SYS_close_range, complaint + 1, ~0U, 0) == 0) return;
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = complaint + 1; fd < most && fd < 65536; fd++) close(fd);
}

/* signal(2) leaves out the two that glibc keeps for itself; posix_spawn(3) ignores them in what it starts. */
static void default_signals(void) {
    struct {
        void *handler;
        unsigned long flags, restorer, mask;
    } defaults = {SIG_DFL, 0, 0, 0};
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, &defaults, NULL, sizeof defaults.mask);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns only where it fails, with errno; `*told` is then where to say so. */
static void become(const char *path, char *const *arguments, char *const *variables, const char *folder,
                   const int standard[3], int *told, pid_t parent) {
    int copies[3], kept;
    for (int i = 0; i < 3; i++)
        if ((copies[i] = fcntl(standard[i], F_DUPFD_CLOEXEC, complaint + 1)) < 0) return;
    if ((kept = fcntl(*told, F_DUPFD_CLOEXEC, complaint + 1)) < 0) return;
    *told = kept;
    if (dup3(kept, complaint, O_CLOEXEC) < 0) return;
    for (int i = 0; i < 3; i++)
        if (dup2(copies[i], i) < 0) return;
    *told = complaint;
    close_the_rest();
    if (chdir(folder)) return;
    default_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) return;
    /* It may have died just before. */
    if (getppid() != parent) _exit(127);
    execve(path, arguments, variables);
}

pid_t clab_run_program(const char *path, char *const *arguments, char *const *variables, const char *folder,
                       const int standard[3]) {
    int told[2], why = 0;
    pid_t parent = getpid();
    if (pipe2(told, O_CLOEXEC)) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        become(path, arguments, variables, folder, standard, &told[1], parent);
        why = errno;
        _exit(write(told[1], &why, sizeof why) < 0 ? 126 : 127);
    }
    int saved = errno;
    close(told[1]);
    if (pid < 0) {
        close(told[0]);
        errno = saved;
        return -1;
    }
    ssize_t got;
    while ((got = read(told[0], &why, sizeof why)) < 0 && errno == EINTR) {}
    close(told[0]);
    if (got != sizeof why) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    errno = why;
    return -1;
}

int clab_watch_process(pid_t pid) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process >= 0) fcntl(process, F_SETFD, FD_CLOEXEC);
    return process;
}

int clab_wait_for(pid_t pid, int waits, int *status) {
    pid_t ended;
    while ((ended = waitpid(pid, status, waits ? 0 : WNOHANG)) < 0 && errno == EINTR) {}
    return ended == pid;
}

void clab_signal_own_group(int signal_number) {
    void (*before)(int) = signal(signal_number, SIG_IGN);
    kill(0, signal_number);
    signal(signal_number, before);
}

void clab_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

int clab_unnamed_file(void) {
    const char *folder = getenv("TMPDIR");
    int fd = open(folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("content", MFD_CLOEXEC);
}
