// llhttp driven as its makers mean it, from C: the least that a user of it can do to know a head.
#include <stdlib.h>

#include "CNIOLLHTTP.h"
#include "CParserBench.h"

struct place {
    const char *start;
    size_t count;
};

struct bench_llhttp {
    llhttp_t parser;
    llhttp_settings_t settings;
    bool reads_responses;
    int64_t messages;
    struct place target;
    size_t fields;
    struct place names[256];
    struct place values[256];
    size_t content;
};

static int begin(llhttp_t *parser) {
    bench_llhttp *bench = parser->data;
    bench->fields = 0;
    bench->content = 0;
    return 0;
}

static int target(llhttp_t *parser, const char *at, size_t count) {
    ((bench_llhttp *)parser->data)->target = (struct place){at, count};
    return 0;
}

static int name(llhttp_t *parser, const char *at, size_t count) {
    bench_llhttp *bench = parser->data;
    if (bench->fields == 256) return -1;
    bench->names[bench->fields++] = (struct place){at, count};
    return 0;
}

static int value(llhttp_t *parser, const char *at, size_t count) {
    bench_llhttp *bench = parser->data;
    bench->values[bench->fields - 1] = (struct place){at, count};
    return 0;
}

static int head(llhttp_t *parser) {
    bench_llhttp *bench = parser->data;
    return bench->reads_responses ? 1 : 0;
}

static int content(llhttp_t *parser, const char *at, size_t count) {
    (void)at;
    ((bench_llhttp *)parser->data)->content += count;
    return 0;
}

static int end(llhttp_t *parser) {
    ((bench_llhttp *)parser->data)->messages++;
    // What NIO does about https://github.com/nodejs/llhttp/issues/202.
    parser->content_length = 0;
    return 0;
}

bench_llhttp *bench_llhttp_new(bool reads_responses) {
    bench_llhttp *bench = calloc(1, sizeof *bench);
    if (!bench) abort();
    c_nio_llhttp_settings_init(&bench->settings);
    bench->settings.on_message_begin = begin;
    bench->settings.on_url = target;
    bench->settings.on_header_field = name;
    bench->settings.on_header_value = value;
    bench->settings.on_headers_complete = head;
    bench->settings.on_body = content;
    bench->settings.on_message_complete = end;
    llhttp_type_t type = reads_responses ? HTTP_RESPONSE : HTTP_REQUEST;
    c_nio_llhttp_init(&bench->parser, type, &bench->settings);
    bench->parser.data = bench;
    bench->reads_responses = reads_responses;
    return bench;
}

int64_t bench_llhttp_feed(bench_llhttp *bench, const void *bytes, size_t count) {
    llhttp_errno_t said = c_nio_llhttp_execute(&bench->parser, bytes, count);
    return said == HPE_OK ? bench->messages : -1;
}
