/* CPython, 3.9 to 3.14, found at run time: what a fork server needs to host one application.
 *
 * Nothing of Python is needed to build this: each name of its C API is looked up in the library, no
 * structure of Python's is looked into; of the two that are passed PyMethodDef has the layout of the stable
 * ABI, and PyObjectArenaAllocator the one that is documented since 3.4. All functions here are for the one thread that loaded the library, which holds the GIL
 * except between clab_python_wait_begin and _end.
 *
 * The gateway is Python source that defines the functions which are called here by name:
 *     load(folder, module, callable, lazily) -> bool     serve(environ) -> exit status, or -1 to go on
 *     rehearse(environ) -> -1                            warm(environ) -> -1
 *     leave()                                            has_changed() -> bool
 *     unlearned(most) -> bytes                           learn(bytes)
 * and finds in its globals what it may call, with the names below: each gives None, or a str that says why
 * it failed. read_content(size) gives bytes, b"" at the end; send gives True where it was too much, and
 * False where no more is wanted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes that stay where they are for the length of a call. */
struct clab_run { const uint8_t *bytes; size_t size; };

/* What the gateway calls while it serves a request. Each runs on the thread that called
 * clab_python_serve; `tell` may run on any other that holds the GIL. */
struct clab_python_calls {
    /* Content into `room`: how many bytes, 0 at its end, -1 where there will be no more: see `why`. */
    ptrdiff_t (*read_content)(uint8_t *room, size_t size);
    /* The status and the fields, name after value after name; replaced by the next until the first `send`.
     * 0, or -1: see `why`. */
    int (*begin)(long status, struct clab_run reason, const struct clab_run *fields, size_t count);
    /* A block of content, all of it. 0, 1 where no more is wanted, 2 where it was too much, -1: see `why`. */
    int (*send)(struct clab_run block);
    /* The last block, and the end. 0, or -1: see `why`. */
    int (*finish)(struct clab_run block);
    /* What the application wrote on its error stream. */
    void (*tell)(struct clab_run text);
    /* The application failed: a sentence. */
    void (*fail)(struct clab_run why);
    /* In a process that the application forked: let go of what is the child's own. Nonzero where the handlers of
     * signals were the server's and are at their defaults now. */
    int (*forked)(void);
    /* Why the last call failed, as UTF-8; until the next call. */
    const char *(*why)(void);
};

/* Loads libpython and looks its names up. NULL, or a sentence that says what is missing. */
const char *clab_python_load(const char *library);

/* A place in the library's text, once it is loaded. */
const void *clab_python_text(void);

/* Starts the interpreter as `executable` would: its prefix and its virtual environment are found from
 * that path. Runs the gateway. 0, or -1 where Python has said on standard error what is wrong. */
int clab_python_start(const char *executable, int utf8_mode, const char *gateway, const struct clab_python_calls *calls);

/* Imports the application, `folder` first on sys.path; with `lazily` it only notes what to import. 0, or
 * -1 where Python has said on standard error what is wrong. */
int clab_python_import(const char *folder, const char *module, const char *callable, int lazily);

/* Whether a file that the application was loaded from has changed, or it could not be loaded. */
int clab_python_has_changed(void);

/* In a child: the names of the modules that it has imported and its parent may import too, a line each.
 * The size; 0 where there are none. */
size_t clab_python_unlearned(char *names, size_t room);

/* In the parent: imports them, as far as they can be. */
void clab_python_learn(const char *names, size_t size);

/* Around each fork: PyOS_BeforeFork, and PyOS_AfterFork_Parent or _Child. */
void clab_python_before_fork(void);
void clab_python_after_fork_in_parent(void);
void clab_python_after_fork_in_child(void);

/* Around a wait: other threads of the application may run. */
void clab_python_wait_begin(void);
void clab_python_wait_end(void);

/* The environ of the next request, name by name; bytes become code points 0 to 255. */
void clab_python_environ_add(const uint8_t *name, size_t name_size, const uint8_t *value, size_t value_size);
/* One of another type: `true`, `false`, or the version (1, 0). */
enum clab_python_constant { CLAB_PYTHON_FALSE, CLAB_PYTHON_TRUE, CLAB_PYTHON_VERSION };
void clab_python_environ_constant(const uint8_t *name, size_t name_size, enum clab_python_constant value);

/* Who answers: the application; a trivial one in its place; the application, before it is served. */
enum clab_python_part { CLAB_PYTHON_SERVE, CLAB_PYTHON_REHEARSE, CLAB_PYTHON_WARM };

/* Has one of them answer the environ that was added. -1, or the status that the process is to exit with. */
int clab_python_serve(enum clab_python_part part);

/* Before the process leaves: flushes what Python holds. */
void clab_python_leave(void);
