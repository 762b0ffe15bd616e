#define _GNU_SOURCE
#include "CLabPython.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef PyObject *(*function)(PyObject *, PyObject *);
typedef struct { const char *name; function call; int flags; const char *doc; } PyMethodDef;
typedef struct { void *with; void *(*give)(void *, size_t); void (*take_back)(void *, void *, size_t); } arena_allocator;
enum { METH_VARARGS = 1, METH_NOARGS = 4, METH_O = 8, file_input = 257 };

/* Everything of Python's C API that is used: X(what it gives, name, what it takes). */
#define NAMES(X) \
    X(wchar_t *, Py_DecodeLocale, (const char *, size_t *)) \
    X(void, Py_SetProgramName, (const wchar_t *)) \
    X(void, PyObject_SetArenaAllocator, (arena_allocator *)) \
    X(void, Py_InitializeEx, (int)) \
    X(PyObject *, PyImport_AddModule, (const char *)) \
    X(PyObject *, PyModule_GetDict, (PyObject *)) \
    X(PyObject *, Py_CompileString, (const char *, const char *, int)) \
    X(PyObject *, PyEval_EvalCode, (PyObject *, PyObject *, PyObject *)) \
    X(PyObject *, PyEval_GetBuiltins, (void)) \
    X(PyObject *, PyCFunction_NewEx, (PyMethodDef *, PyObject *, PyObject *)) \
    X(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...)) \
    X(PyObject *, PyDict_New, (void)) \
    X(PyObject *, PyDict_GetItemString, (PyObject *, const char *)) \
    X(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *)) \
    X(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *)) \
    X(PyObject *, PyUnicode_DecodeLatin1, (const char *, ptrdiff_t, const char *)) \
    X(PyObject *, PyUnicode_DecodeFSDefault, (const char *)) \
    X(PyObject *, PyUnicode_FromString, (const char *)) \
    X(PyObject *, PyBytes_FromStringAndSize, (const char *, ptrdiff_t)) \
    X(int, PyBytes_AsStringAndSize, (PyObject *, char **, ptrdiff_t *)) \
    X(ptrdiff_t, PyTuple_Size, (PyObject *)) \
    X(PyObject *, PyTuple_GetItem, (PyObject *, ptrdiff_t)) \
    X(PyObject *, PyBool_FromLong, (long)) \
    X(PyObject *, PyLong_FromLong, (long)) \
    X(long, PyLong_AsLong, (PyObject *)) \
    X(int, PyArg_ParseTuple, (PyObject *, const char *, ...)) \
    X(PyObject *, Py_BuildValue, (const char *, ...)) \
    X(PyObject *, PyErr_Occurred, (void)) \
    X(void, PyErr_Print, (void)) \
    X(void, PyOS_BeforeFork, (void)) \
    X(void, PyOS_AfterFork_Parent, (void)) \
    X(void, PyOS_AfterFork_Child, (void)) \
    X(PyThreadState *, PyEval_SaveThread, (void)) \
    X(void, PyEval_RestoreThread, (PyThreadState *)) \
    X(void, Py_IncRef, (PyObject *)) \
    X(void, Py_DecRef, (PyObject *))

#define MEMBER(gives, name, takes) gives(*name) takes;
static struct { NAMES(MEMBER) } py;

static void *library;
static struct clab_python_calls calls;
static PyObject *gateway, *version, *environ, *nothing, *parts[3], *leave;
static PyThreadState *waiting;
static int forking;

/* Room for what a request's content is read into; touched by children that read. */
static uint8_t room[64 << 10];

const char *clab_python_load(const char *path) {
    static char sentence[512];
    /* Global, for Debian's extension modules do not name the library whose symbols they use. */
    library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) return dlerror();
#define LOOK_UP(gives, name, takes) \
    if (!(*(void **)&py.name = dlsym(library, #name))) { \
        snprintf(sentence, sizeof sentence, "it has no %s; Python 3.9 to 3.14 has", #name); \
        return sentence; \
    }
    NAMES(LOOK_UP)
    return NULL;
}

const void *clab_python_text(void) { return (const void *)py.Py_InitializeEx; }

/* --- what the gateway calls ------------------------------------------------------------------- */

static PyObject *none(void) {
    py.Py_IncRef(nothing);
    return nothing;
}

/* None, or why it failed, as a string. */
static PyObject *outcome(int failed) { return failed ? py.PyUnicode_FromString(calls.why()) : none(); }

static PyObject *call_read_content(PyObject *self, PyObject *size) {
    long wanted = py.PyLong_AsLong(size);
    (void)self;
    if (wanted < 0 || wanted > (long)sizeof room) wanted = sizeof room;
    ptrdiff_t got = calls.read_content(room, (size_t)wanted);
    return got < 0 ? outcome(1) : py.PyBytes_FromStringAndSize((char *)room, got);
}

/* The bytes of a bytes object; none with an exception where it is another. */
static struct clab_run run_of(PyObject *object) {
    char *bytes = NULL;
    ptrdiff_t size = 0;
    if (!object || py.PyBytes_AsStringAndSize(object, &bytes, &size)) return (struct clab_run){NULL, 0};
    return (struct clab_run){(uint8_t *)bytes, (size_t)size};
}

/* begin(status, reason, fields): the fields are a tuple of bytes. */
static PyObject *call_begin(PyObject *self, PyObject *arguments) {
    long status;
    PyObject *reason, *fields;
    (void)self;
    if (!py.PyArg_ParseTuple(arguments, "lSO", &status, &reason, &fields)) return NULL;
    ptrdiff_t count = py.PyTuple_Size(fields);
    if (count < 0) return NULL;
    struct clab_run *runs = calloc((size_t)count + 1, sizeof *runs);
    for (ptrdiff_t i = 0; runs && i < count; i++) runs[i] = run_of(py.PyTuple_GetItem(fields, i));
    int begun = runs ? calls.begin(status, run_of(reason), runs, (size_t)count) : -1;
    free(runs);
    return py.PyErr_Occurred() ? NULL : outcome(begun);
}

static PyObject *call_send(PyObject *self, PyObject *block) {
    struct clab_run run = run_of(block);
    (void)self;
    if (!run.bytes) return NULL;
    int sent = calls.send(run);
    return sent > 0 ? py.PyBool_FromLong(sent == 2) : outcome(sent);
}

static PyObject *call_finish(PyObject *self, PyObject *block) {
    struct clab_run run = run_of(block);
    (void)self;
    return run.bytes ? outcome(calls.finish(run)) : NULL;
}

static PyObject *call_tell(PyObject *self, PyObject *text) {
    struct clab_run run = run_of(text);
    (void)self;
    if (!run.bytes) return NULL;
    calls.tell(run);
    return none();
}

static PyObject *call_fail(PyObject *self, PyObject *why) {
    struct clab_run run = run_of(why);
    (void)self;
    if (!run.bytes) return NULL;
    calls.fail(run);
    return none();
}

/* Called by what os.register_at_fork was given, after each fork: whether the handlers of signals are at their
 * defaults, which they are in the server's own children. */
static PyObject *call_forked(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    return py.PyBool_FromLong(forking || calls.forked());
}

static PyMethodDef methods[] = {
    {"read_content", call_read_content, METH_O, NULL}, {"begin", call_begin, METH_VARARGS, NULL},
    {"send", call_send, METH_O, NULL},                 {"finish", call_finish, METH_O, NULL},
    {"tell", call_tell, METH_O, NULL},                 {"fail", call_fail, METH_O, NULL},
    {"forked", call_forked, METH_NOARGS, NULL},
};

/* --- starting --------------------------------------------------------------------------------- */

static int failed(void) {
    py.PyErr_Print();
    return -1;
}

/* Arenas stand side by side, where Python would put each between two libraries: each mapping more, and each
 * part of one that is no whole huge page, is work at every fork. What is beyond is mapped anywhere. */
enum { huge = 2 << 20, arenas_size = 64 << 20 };
static uint8_t *arenas, *arenas_end;

static void reserve_arenas(void) {
    uint8_t *room = mmap(NULL, arenas_size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return;
    arenas = (uint8_t *)(((uintptr_t)room + huge - 1) / huge * huge);
    arenas_end = arenas + arenas_size;
}

static void *give_arena(void *unused, size_t size) {
    (void)unused;
    size = (size + 4095) / 4096 * 4096;
    if ((size_t)(arenas_end - arenas) >= size && mprotect(arenas, size, PROT_READ | PROT_WRITE) == 0) {
        arenas += size;
        return arenas - size;
    }
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return arena == MAP_FAILED ? NULL : arena;
}

static void take_arena_back(void *unused, void *arena, size_t size) {
    (void)unused;
    munmap(arena, size);
}

static PyObject *named(const char *name) { return py.PyDict_GetItemString(gateway, name); }

int clab_python_start(const char *executable, int utf8_mode, const char *source, const struct clab_python_calls *given) {
    calls = *given;
    int *mode = dlsym(library, "Py_UTF8Mode");
    if (mode) *mode = utf8_mode;
    wchar_t *name = py.Py_DecodeLocale(executable, NULL);
    if (!name) return -1;
    py.Py_SetProgramName(name); /* keeps the pointer */
    reserve_arenas();
    py.PyObject_SetArenaAllocator(&(arena_allocator){NULL, give_arena, take_arena_back});
    /* Without Python's signal handlers: a SIGINT is the fork server's affair. */
    py.Py_InitializeEx(0);
    PyObject *module = py.PyImport_AddModule("_lab_gateway");
    if (!module) return failed();
    gateway = py.PyModule_GetDict(module);
    if (py.PyDict_SetItemString(gateway, "__builtins__", py.PyEval_GetBuiltins())) return failed();
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        PyObject *made = py.PyCFunction_NewEx(&methods[i], NULL, NULL);
        if (!made || py.PyDict_SetItemString(gateway, methods[i].name, made)) return failed();
        py.Py_DecRef(made);
    }
    PyObject *code = py.Py_CompileString(source, "<lab gateway>", file_input);
    if (!code || !py.PyEval_EvalCode(code, gateway, gateway)) return failed();
    nothing = py.Py_BuildValue("");
    version = py.Py_BuildValue("(ii)", 1, 0);
    parts[CLAB_PYTHON_SERVE] = named("serve");
    parts[CLAB_PYTHON_REHEARSE] = named("rehearse");
    parts[CLAB_PYTHON_WARM] = named("warm");
    leave = named("leave");
    environ = py.PyDict_New();
    return parts[0] && parts[1] && parts[2] && leave && environ ? 0 : -1;
}

int clab_python_import(const char *folder, const char *module, const char *callable, int lazily) {
    PyObject *done = py.PyObject_CallFunctionObjArgs(
        named("load"), py.PyUnicode_DecodeFSDefault(folder), py.PyUnicode_DecodeFSDefault(module),
        py.PyUnicode_DecodeFSDefault(callable), py.PyBool_FromLong(lazily), NULL);
    if (!done) return failed();
    long is_there = py.PyLong_AsLong(done);
    py.Py_DecRef(done);
    return is_there == 1 ? 0 : -1;
}

int clab_python_has_changed(void) {
    PyObject *done = py.PyObject_CallFunctionObjArgs(named("has_changed"), NULL);
    if (!done) return failed();
    long changed = py.PyLong_AsLong(done);
    py.Py_DecRef(done);
    return changed == 1;
}

size_t clab_python_unlearned(char *names, size_t room) {
    PyObject *told = py.PyObject_CallFunctionObjArgs(named("unlearned"), py.PyLong_FromLong((long)room), NULL);
    struct clab_run run = run_of(told);
    if (!run.bytes) {
        py.PyErr_Print();
        return 0;
    }
    size_t size = run.size < room ? run.size : room;
    memcpy(names, run.bytes, size);
    py.Py_DecRef(told);
    return size;
}

void clab_python_learn(const char *names, size_t size) {
    PyObject *text = py.PyBytes_FromStringAndSize(names, (ptrdiff_t)size);
    PyObject *done = text ? py.PyObject_CallFunctionObjArgs(named("learn"), text, NULL) : NULL;
    if (!done) return py.PyErr_Print();
    py.Py_DecRef(done);
    py.Py_DecRef(text);
}

/* --- forking and waiting ---------------------------------------------------------------------- */

void clab_python_before_fork(void) {
    forking = 1;
    py.PyOS_BeforeFork();
}

void clab_python_after_fork_in_parent(void) {
    py.PyOS_AfterFork_Parent();
    forking = 0;
}

void clab_python_after_fork_in_child(void) {
    py.PyOS_AfterFork_Child();
    forking = 0;
}

void clab_python_wait_begin(void) { waiting = py.PyEval_SaveThread(); }
void clab_python_wait_end(void) { py.PyEval_RestoreThread(waiting); }

/* --- a request -------------------------------------------------------------------------------- */

static void add(const uint8_t *name, size_t name_size, PyObject *value) {
    PyObject *key = py.PyUnicode_DecodeLatin1((const char *)name, (ptrdiff_t)name_size, NULL);
    if (!key || !value || py.PyDict_SetItem(environ, key, value)) py.PyErr_Print();
    py.Py_DecRef(key);
}

void clab_python_environ_add(const uint8_t *name, size_t name_size, const uint8_t *value, size_t value_size) {
    PyObject *text = py.PyUnicode_DecodeLatin1((const char *)value, (ptrdiff_t)value_size, NULL);
    add(name, name_size, text);
    py.Py_DecRef(text);
}

void clab_python_environ_constant(const uint8_t *name, size_t name_size, enum clab_python_constant constant) {
    PyObject *value = version;
    if (constant != CLAB_PYTHON_VERSION) value = py.PyBool_FromLong(constant == CLAB_PYTHON_TRUE);
    add(name, name_size, value);
    if (value != version) py.Py_DecRef(value);
}

int clab_python_serve(enum clab_python_part part) {
    PyObject *given = environ;
    environ = py.PyDict_New();
    PyObject *done = py.PyObject_CallFunctionObjArgs(parts[part], given, NULL);
    py.Py_DecRef(given);
    if (!done) {
        py.PyErr_Print();
        return -1;
    }
    long status = py.PyLong_AsLong(done);
    py.Py_DecRef(done);
    return (int)status;
}

void clab_python_leave(void) {
    PyObject *done = py.PyObject_CallFunctionObjArgs(leave, NULL);
    if (!done) return py.PyErr_Print();
    py.Py_DecRef(done);
}
