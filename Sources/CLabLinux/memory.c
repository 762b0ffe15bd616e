/* What a fork does with this process's memory: the text shared as huge pages, and the pages that
 * both sides write to copied at once instead of by faults. */
#define _GNU_SOURCE
#include "CLabLinux.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { page = 4096, huge = 2 << 20, most_ranges = 4096 };

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

/* The mappings around `place` that are of its file, side by side and never written to, and where the next
 * one begins. 0, or -1 where they can't be had. */
static int text_around(uintptr_t place, uintptr_t *low, uintptr_t *high, uintptr_t *next) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return -1;
    char line[512];
    unsigned long from, to, inode, of = 0;
    char rights[5];
    *low = *high = *next = 0;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, rights, &inode) != 4) continue;
        if (*high > place && (from != *high || inode != of || rights[1] == 'w')) {
            *next = from;
            break;
        }
        if (from != *high || inode != of || rights[1] == 'w') *low = from;
        *high = to;
        of = rights[1] == 'w' ? 0 : inode;
    }
    fclose(maps);
    return *low <= place && place < *high && *next && of ? 0 : -1;
}

const void *clab_own_text(void) { return (const void *)clab_own_text; }

int clab_text_on_huge_pages(const void *place) {
    uintptr_t low, high, next;
    if (text_around((uintptr_t)place, &low, &high, &next)) return -1;
    uintptr_t end = (high + huge - 1) / huge * huge;
    low = (low + huge - 1) / huge * huge;
    /* The copy fills its last huge page, where nothing else lies in that. */
    if (end > next) high = end = high / huge * huge;
    if (low >= end) return -1;
    size_t size = end - low;
    uint8_t *room = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return -1;
    uint8_t *copy = (uint8_t *)(((uintptr_t)room + huge - 1) / huge * huge);
    /* mremap swaps the mapping under the running code in one step, by the same bytes. */
    if (madvise(copy, size, MADV_HUGEPAGE) == 0) {
        memcpy(copy, (void *)low, high - low);
        if (mprotect(copy, size, PROT_READ | PROT_EXEC) == 0
            && mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)low) == (void *)low) {
            /* What is left before and after it would be one mapping more for each fork to copy. */
            if (copy > room) munmap(room, (size_t)(copy - room));
            munmap(copy + size, huge - (size_t)(copy - room));
            return 0;
        }
    }
    munmap(room, size + huge);
    return -1;
}

/* Bits of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGE_PRESENT (1ull << 63)
#define PAGE_OF_FILE (1ull << 61)
#define PAGE_OF_ONE (1ull << 56)

/* What looking needs, apart from the memory that is looked at. */
struct look {
    struct iovec ranges[most_ranges];
    int count;
    uint64_t entries[512];
    char maps[1 << 18];
};

/* All of a file of /proc, which gives a page at a time; what is beyond the room is left out. */
static size_t read_whole(int fd, char *text, size_t size) {
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0) length += (size_t)got;
    text[length] = 0;
    return length;
}

/* Adds the pages from `from` to `to` that this process alone maps. */
static void own_pages(struct look *look, int pagemap, uintptr_t from, uintptr_t to) {
    while (from < to) {
        size_t wanted = (to - from) / page;
        if (wanted > 512) wanted = 512;
        ssize_t got = pread(pagemap, look->entries, wanted * 8, (off_t)(from / page * 8));
        if (got < 8) return;
        for (size_t i = 0; i < (size_t)got / 8; i++, from += page) {
            uint64_t bits = look->entries[i] & (PAGE_PRESENT | PAGE_OF_FILE | PAGE_OF_ONE);
            if (bits != (PAGE_PRESENT | PAGE_OF_ONE)) continue;
            struct iovec *last = &look->ranges[look->count - 1];
            if (look->count > 0 && (uintptr_t)last->iov_base + last->iov_len == from) {
                last->iov_len += page;
            } else if (look->count < most_ranges) {
                look->ranges[look->count++] = (struct iovec){(void *)from, page};
            }
        }
    }
}

/* Pins the ranges for as long as this process lives, by an io_uring that is never used for anything
 * else and whose descriptor is closed: the kernel keeps it registered with this thread. */
static int pin(const struct iovec *ranges, int count) {
    struct io_uring_params parameters;
    memset(&parameters, 0, sizeof parameters);
    int ring = (int)syscall(SYS_io_uring_setup, 1, &parameters);
    if (ring < 0) return -1;
    struct io_uring_rsrc_update place = {.offset = (__u32)-1, .data = (__u64)ring};
    int kept = syscall(SYS_io_uring_register, ring, IORING_REGISTER_RING_FDS, &place, 1) == 1
        && syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, ranges, count) == 0;
    close(ring);
    return kept ? 0 : -1;
}

static struct look *room_to_look(void) {
    struct look *look = mmap(NULL, sizeof *look, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return look == MAP_FAILED ? NULL : look;
}

/* Calls `body` with each private mapping that may be written to; with `plain` only with those that are
 * neither a file's nor the stack. */
static void each_writable(
    struct look *look, int plain, void (*body)(struct look *, uintptr_t from, uintptr_t to, void *with), void *with) {
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return;
    read_whole(maps, look->maps, sizeof look->maps);
    close(maps);
    for (char *line = look->maps; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char *rest;
        uintptr_t from = strtoul(line, &rest, 16), to = *rest == '-' ? strtoul(rest + 1, &rest, 16) : 0;
        if (from == (uintptr_t)look || strncmp(rest, " rw-p ", 6)) continue;
        /* After the rights: offset, device, inode, name. */
        size_t line_size = strcspn(rest, "\n");
        int is_plain = strstr(rest, " 00:00 0 ") && (!memchr(rest, '[', line_size) || !memcmp(rest + line_size - 6, "[heap]", 6));
        if (is_plain || !plain) body(look, from, to, with);
    }
}

static void add_own(struct look *look, uintptr_t from, uintptr_t to, void *pagemap) {
    own_pages(look, *(int *)pagemap, from, to);
}


/* Of a huge page that a child has written to in part, that part is this process's alone. */
static void add_own_of_huge(struct look *look, uintptr_t from, uintptr_t to, void *pagemap) {
    own_pages(look, *(int *)pagemap, (from + huge - 1) / huge * huge, to / huge * huge);
}

/* Fills `look` with the pages that this process alone maps; with `of_huge` where huge ones may be. */
static void look_at_own(struct look *look, int of_huge) {
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    look->count = 0;
    if (pagemap < 0) return;
    each_writable(look, of_huge, of_huge ? add_own_of_huge : add_own, &pagemap);
    close(pagemap);
}

static int pages_of(const struct look *look) {
    int pages = 0;
    for (int i = 0; i < look->count; i++) pages += (int)(look->ranges[i].iov_len / page);
    return pages;
}

/* Word by word: memcpy has variables of its own, which may lie in the very page that is empty now. */
static void copy_words(volatile uint64_t *to, const volatile uint64_t *from, size_t size) {
    for (size_t i = 0; i < size / sizeof *to; i++) to[i] = from[i];
}

/* Gives the ranges small pages of their own, by leaving the old ones and writing the same again. Nobody
 * but this thread may look at them. A pinned page of a huge one would have all of it copied. */
static void rewrite(const struct look *look) {
    void *copy = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) return;
    for (int i = 0; i < look->count; i++) {
        uint8_t *at = look->ranges[i].iov_base;
        for (size_t left = look->ranges[i].iov_len; left > 0; left -= page, at += page) {
            copy_words(copy, (void *)at, page);
            if (madvise(at, page, MADV_DONTNEED) == 0) copy_words((void *)at, copy, page);
        }
    }
    munmap(copy, page);
}

int clab_copy_at_fork(void) {
    struct look *look = room_to_look();
    if (!look) return -1;
    look_at_own(look, 1);
    rewrite(look);
    look_at_own(look, 0);
    int pages = look->count > 0 && pin(look->ranges, look->count) == 0 ? pages_of(look) : -1;
    munmap(look, sizeof *look);
    return pages;
}

struct clab_written {
    int taken;   /* the last round that a child has taken */
    int told;    /* the last round whose child has told */
    int count;   /* of the ranges */
    size_t size; /* of the names */
    char names[CLAB_NAMES_SIZE];
    struct iovec ranges[most_ranges];
};

struct clab_written *clab_written_room(void) {
    void *memory = mmap(NULL, sizeof(struct clab_written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int clab_take_round(struct clab_written *written, int round) {
    int before = round - 1;
    return __atomic_compare_exchange_n(&written->taken, &before, round, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

char *clab_names_room(struct clab_written *written) { return written->names; }

void clab_note_written(struct clab_written *written) {
    struct look *look = room_to_look();
    if (!look) return;
    look_at_own(look, 0);
    memcpy(written->ranges, look->ranges, sizeof *look->ranges * (size_t)look->count);
    written->count = look->count;
    munmap(look, sizeof *look);
}

void clab_tell(struct clab_written *written, size_t names_size) {
    written->size = names_size;
    __atomic_store_n(&written->told, written->taken, __ATOMIC_RELEASE);
}

int clab_was_told(const struct clab_written *written, int round, size_t *names_size) {
    if (__atomic_load_n(&written->told, __ATOMIC_ACQUIRE) != round) return 0;
    *names_size = written->size;
    return 1;
}

/* Adds what of the noted ranges lies in one mapping of this process. */
static void add_noted(struct look *look, uintptr_t from, uintptr_t to, void *noted) {
    const struct clab_written *written = noted;
    for (int i = 0; i < written->count && look->count < most_ranges; i++) {
        uintptr_t low = (uintptr_t)written->ranges[i].iov_base, high = low + written->ranges[i].iov_len;
        if (low < from) low = from;
        if (high > to) high = to;
        if (low < high) look->ranges[look->count++] = (struct iovec){(void *)low, high - low};
    }
}

/* The noted ranges, as far as huge pages may be under them. */
static void add_noted_of_huge(struct look *look, uintptr_t from, uintptr_t to, void *noted) {
    add_noted(look, (from + huge - 1) / huge * huge, to / huge * huge, noted);
}

int clab_copy_written_at_fork(const struct clab_written *written, int most) {
    struct look *look = room_to_look();
    if (!look) return -1;
    each_writable(look, 1, add_noted_of_huge, (void *)written);
    if (pages_of(look) <= most) rewrite(look);
    look->count = 0;
    each_writable(look, 0, add_noted, (void *)written);
    int pages = pages_of(look);
    if (look->count == 0 || pages > most || pin(look->ranges, look->count)) pages = -1;
    munmap(look, sizeof *look);
    return pages;
}

static void collapse(struct look *look, uintptr_t from, uintptr_t to, void *unused) {
    (void)look, (void)unused;
    for (from = (from + huge - 1) / huge * huge; from + huge <= to; from += huge) {
        madvise((void *)from, huge, MADV_COLLAPSE);
    }
}

void clab_on_huge_pages(void) {
    struct look *look = room_to_look();
    if (!look) return;
    each_writable(look, 1, collapse, NULL);
    munmap(look, sizeof *look);
}

void *clab_unshared_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    /* Where the kernel refuses, children get a copy that they never look at. */
    madvise(memory, size, MADV_DONTFORK);
    return memory;
}
