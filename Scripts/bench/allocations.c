/* Counts what a program asks malloc and its kin for, from outside: LD_PRELOAD finds these first, and
 * behind them is glibc's malloc. When the program ends, two counts are written to the file that
 * LAB_ALLOCATIONS names: of all threads but the first, and of the first.
 *
 *   cc -O2 -shared -fPIC -o allocations.so Scripts/bench/allocations.c
 *   LAB_ALLOCATIONS=count LD_PRELOAD=./allocations.so lab replay ... */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_long of_first, of_others;
static _Thread_local int is_first = -1;

static void count(void) {
    if (is_first < 0) is_first = syscall(SYS_gettid) == getpid();
    if (is_first) of_first++; else of_others++;
}

void *malloc(size_t size) { count(); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { count(); return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { count(); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { count(); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **place, size_t alignment, size_t size) {
    *place = memalign(alignment, size);
    return *place ? 0 : 12; /* ENOMEM */
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("LAB_ALLOCATIONS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld %ld\n", (long)of_others, (long)of_first);
    fclose(file);
}
