// Counts allocations by standing in front of glibc's own functions, in the executable, where every
// shared library finds them first. free is left alone: what is behind these is glibc's malloc.
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "CParserBench.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t allocations;

// A relaxed load and store, not an atomic addition: the benchmark has one thread, and a locked
// instruction would be charged to whoever allocates.
static void count_one(void) {
    uint64_t now = atomic_load_explicit(&allocations, memory_order_relaxed);
    atomic_store_explicit(&allocations, now + 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    count_one();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    count_one();
    void *found = __libc_memalign(alignment, size);
    if (!found) return ENOMEM;
    *place = found;
    return 0;
}

uint64_t bench_allocations(void) {
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

int64_t bench_cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
