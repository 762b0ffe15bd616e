// A counter of allocations, and llhttp without anything of NIO's around it.
#ifndef CPARSERBENCH_H
#define CPARSERBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How often this process has asked malloc and its kin for memory; freeing does not count.
uint64_t bench_allocations(void);

/// The CPU time of this thread, ns: what other processes on the machine do does not change it.
int64_t bench_cpu_ns(void);

/// An llhttp parser that notes where each field of the message at hand stands, and keeps nothing.
typedef struct bench_llhttp bench_llhttp;

/// Makes a parser of requests, or of responses that have no content whatever they say.
bench_llhttp *bench_llhttp_new(bool reads_responses);

/// Feeds bytes; returns how many messages have ended so far, or -1 where llhttp refused them.
int64_t bench_llhttp_feed(bench_llhttp *bench, const void *bytes, size_t count);

#endif
