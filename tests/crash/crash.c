/* Kills the process, or lets one call fail, just before call number N that changes the file
 * system. Loaded with LD_PRELOAD; knows nothing of the program under test.
 *
 *   CRASH_AT=N          act on call number N, counted from 1 over all threads; without it: count
 *   CRASH_HOW=kill      die by SIGKILL before the call (the default)
 *   CRASH_HOW=torn      do half of it if it is a write, then die
 *   CRASH_HOW=<errno>   do not do it, report this error number instead, this one time
 *   CRASH_THEN=M        die by SIGKILL before call number M as well, if it comes to that
 *   CRASH_COUNT_FILE=F  write the number of calls to F when the process exits by itself
 *   CRASH_TRACE_FILE=F  append one line per call: its number, its name, its paths
 *   CRASH_PLAIN_FS=1    statfs says that the file system is of a type that nobody knows
 *
 * Counted are calls on regular files and directories only: output to a terminal or a pipe is
 * left alone. Calls that bypass libc and stores to mapped memory are not seen. Linux and glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

static atomic_ulong calls;
static unsigned long crash_at;
static unsigned long then_at;
static int fail_with;
static int torn;
static int trace_fd = -1;
static const char *count_file;

__attribute__((constructor)) static void setup(void)
{
    const char *at = getenv("CRASH_AT");
    const char *then = getenv("CRASH_THEN");
    const char *how = getenv("CRASH_HOW");
    const char *trace = getenv("CRASH_TRACE_FILE");
    count_file = getenv("CRASH_COUNT_FILE");
    if (at)
        crash_at = strtoul(at, NULL, 10);
    if (then)
        then_at = strtoul(then, NULL, 10);
    if (how && strcmp(how, "torn") == 0)
        torn = 1;
    else if (how && strcmp(how, "kill") != 0)
        fail_with = atoi(how);
    if (trace)
        trace_fd = syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void report(void)
{
    char text[32];
    int length, fd;
    if (!count_file)
        return;
    length = snprintf(text, sizeof text, "%lu\n", atomic_load(&calls));
    fd = syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        if (syscall(SYS_write, fd, text, length) != length)
            abort();
        syscall(SYS_close, fd);
    }
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static void trace(unsigned long number, const char *name, const char *path, const char *other)
{
    char line[2 * 4096 + 64];
    int length;
    if (trace_fd < 0)
        return;
    length = snprintf(line, sizeof line, "%lu %s %s%s%s\n", number, name, path ? path : "-",
                      other ? " " : "", other ? other : "");
    if (length > 0 && length < (int)sizeof line && syscall(SYS_write, trace_fd, line, length) != length)
        abort();
}

enum verdict { GO, HALF, FAIL };

/* One more call: returns, unless the process dies here. */
static enum verdict count(const char *name, const char *path, const char *other, int halves)
{
    unsigned long number = atomic_fetch_add(&calls, 1) + 1;
    trace(number, name, path, other);
    if (number == then_at)
        die();
    if (number != crash_at)
        return GO;
    if (fail_with) {
        errno = fail_with;
        return FAIL;
    }
    if (torn && halves)
        return HALF;
    die();
    return FAIL;
}

static int is_disk(int fd)
{
    struct stat about;
    int keep = errno;
    int yes = syscall(SYS_fstat, fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
    errno = keep;
    return yes;
}

static const char *path_of(int fd, char *buffer, size_t size)
{
    char link[64];
    ssize_t length;
    int keep = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1);
    errno = keep;
    if (length < 0)
        return NULL;
    buffer[length] = 0;
    return buffer;
}

/* The path that a name in an open directory leads to. */
static const char *path_in(int dir, const char *name, char *buffer, size_t size)
{
    size_t length;
    if (trace_fd < 0 || dir == AT_FDCWD || name[0] == '/' || !path_of(dir, buffer, size))
        return name;
    length = strlen(buffer);
    snprintf(buffer + length, size - length, "/%s", name);
    return buffer;
}

static enum verdict count_at(const char *name, int dir, const char *path)
{
    char buffer[2 * 4096];
    return count(name, path_in(dir, path, buffer, sizeof buffer), NULL, 0);
}

static enum verdict count_two(const char *name, int dir, const char *path, int to, const char *other)
{
    char one[2 * 4096], two[2 * 4096];
    return count(name, path_in(dir, path, one, sizeof one), path_in(to, other, two, sizeof two), 0);
}

static enum verdict count_fd(const char *name, int fd, int halves)
{
    char buffer[4096];
    if (!is_disk(fd))
        return GO;
    return count(name, trace_fd < 0 ? NULL : path_of(fd, buffer, sizeof buffer), NULL, halves);
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* --- Opening --------------------------------------------------------------------------------- */

static int changes(int flags)
{
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if (changes(flags)) {                                                                          \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        MODE(flags)                                                                                \
        if (changes(flags) && count("open", path, NULL, 0) == FAIL)                                \
            return -1;                                                                             \
        return REAL(name)(path, flags, mode);                                                      \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        MODE(flags)                                                                                \
        if (changes(flags) && count_at("open", dir, path) == FAIL)                                 \
            return -1;                                                                             \
        return REAL(name)(dir, path, flags, mode);                                                 \
    }
OPENAT(openat)
OPENAT(openat64)

#define CREAT(name)                                                                                \
    int name(const char *path, mode_t mode)                                                        \
    {                                                                                              \
        return count("open", path, NULL, 0) == FAIL ? -1 : REAL(name)(path, mode);                 \
    }
CREAT(creat)
CREAT(creat64)

/* --- Writing --------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *bytes, size_t length)
{
    switch (count_fd("write", fd, 1)) {
    case FAIL:
        return -1;
    case HALF:
        REAL(write)(fd, bytes, length / 2);
        die();
    case GO:
        break;
    }
    return REAL(write)(fd, bytes, length);
}

#define PWRITE(name, offset_t)                                                                     \
    ssize_t name(int fd, const void *bytes, size_t length, offset_t offset)                        \
    {                                                                                              \
        switch (count_fd("write", fd, 1)) {                                                        \
        case FAIL:                                                                                 \
            return -1;                                                                             \
        case HALF:                                                                                 \
            REAL(name)(fd, bytes, length / 2, offset);                                             \
            die();                                                                                 \
        case GO:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        return REAL(name)(fd, bytes, length, offset);                                              \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* Of a gathering write, half means the first half of its buffers. */
#define WRITEV(name, PARAMETERS, ARGUMENTS, HALF_ARGUMENTS)                                        \
    ssize_t name PARAMETERS                                                                        \
    {                                                                                              \
        switch (count_fd("write", fd, 1)) {                                                        \
        case FAIL:                                                                                 \
            return -1;                                                                             \
        case HALF:                                                                                 \
            REAL(name) HALF_ARGUMENTS;                                                             \
            die();                                                                                 \
        case GO:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        return REAL(name) ARGUMENTS;                                                               \
    }
WRITEV(writev, (int fd, const struct iovec *v, int n), (fd, v, n), (fd, v, n / 2))
WRITEV(pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o), (fd, v, n / 2, o))
WRITEV(pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o), (fd, v, n / 2, o))

#define COPY_RANGE(name, offset_t)                                                                 \
    ssize_t name(int from, offset_t *from_at, int to, offset_t *to_at, size_t length, unsigned f)  \
    {                                                                                              \
        if (count_fd("write", to, 0) == FAIL)                                                      \
            return -1;                                                                             \
        return REAL(name)(from, from_at, to, to_at, length, f);                                    \
    }
COPY_RANGE(copy_file_range, off64_t)

extern ssize_t sendfile64(int to, int from, off64_t *offset, size_t length);
ssize_t sendfile64(int to, int from, off64_t *offset, size_t length)
{
    return count_fd("write", to, 0) == FAIL ? -1 : REAL(sendfile64)(to, from, offset, length);
}

/* --- One descriptor -------------------------------------------------------------------------- */

#define ON_FD(name, label, PARAMETERS, ARGUMENTS)                                                  \
    int name PARAMETERS { return count_fd(label, fd, 0) == FAIL ? -1 : REAL(name) ARGUMENTS; }
ON_FD(fsync, "sync", (int fd), (fd))
ON_FD(fdatasync, "sync", (int fd), (fd))
ON_FD(syncfs, "syncfs", (int fd), (fd))
ON_FD(ftruncate, "truncate", (int fd, off_t length), (fd, length))
ON_FD(ftruncate64, "truncate", (int fd, off64_t length), (fd, length))
ON_FD(fallocate, "allocate", (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
ON_FD(fallocate64, "allocate", (int fd, int mode, off64_t at, off64_t length), (fd, mode, at, length))
ON_FD(fchmod, "chmod", (int fd, mode_t mode), (fd, mode))
ON_FD(fchown, "chown", (int fd, uid_t user, gid_t group), (fd, user, group))
ON_FD(futimens, "utimes", (int fd, const struct timespec times[2]), (fd, times))

/* Changes nothing, so it is not counted. */
#define STATFS(name, type)                                                                         \
    int name(int fd, struct type *about)                                                           \
    {                                                                                              \
        int result = REAL(name)(fd, about);                                                        \
        if (getenv("CRASH_PLAIN_FS"))                                                              \
            about->f_type = 1;                                                                     \
        return result;                                                                             \
    }
STATFS(fstatfs, statfs)
STATFS(fstatfs64, statfs64)

/* These two return the error number instead of setting errno. */
#define POSIX_ALLOCATE(name, offset_t)                                                             \
    int name(int fd, offset_t at, offset_t length)                                                 \
    {                                                                                              \
        return count_fd("allocate", fd, 0) == FAIL ? fail_with : REAL(name)(fd, at, length);       \
    }
POSIX_ALLOCATE(posix_fallocate, off_t)
POSIX_ALLOCATE(posix_fallocate64, off64_t)

/* --- Paths ----------------------------------------------------------------------------------- */

#define ON_PATH(name, label, first, second, PARAMETERS, ARGUMENTS)                                 \
    int name PARAMETERS { return count(label, first, second, 0) == FAIL ? -1 : REAL(name) ARGUMENTS; }
ON_PATH(rename, "rename", a, b, (const char *a, const char *b), (a, b))
ON_PATH(link, "link", a, b, (const char *a, const char *b), (a, b))
ON_PATH(symlink, "symlink", a, b, (const char *a, const char *b), (a, b))
ON_PATH(unlink, "unlink", a, NULL, (const char *a), (a))
ON_PATH(rmdir, "rmdir", a, NULL, (const char *a), (a))
ON_PATH(mkdir, "mkdir", a, NULL, (const char *a, mode_t m), (a, m))
ON_PATH(truncate, "truncate", a, NULL, (const char *a, off_t n), (a, n))
ON_PATH(truncate64, "truncate", a, NULL, (const char *a, off64_t n), (a, n))
ON_PATH(chmod, "chmod", a, NULL, (const char *a, mode_t m), (a, m))

/* --- Names in open directories --------------------------------------------------------------- */

#define ON_NAME(name, label, dir, path, PARAMETERS, ARGUMENTS)                                     \
    int name PARAMETERS { return count_at(label, dir, path) == FAIL ? -1 : REAL(name) ARGUMENTS; }
#define ON_NAMES(name, label, d, a, e, b, PARAMETERS, ARGUMENTS)                                   \
    int name PARAMETERS { return count_two(label, d, a, e, b) == FAIL ? -1 : REAL(name) ARGUMENTS; }
ON_NAMES(renameat, "rename", d, a, e, b, (int d, const char *a, int e, const char *b), (d, a, e, b))
ON_NAMES(renameat2, "rename", d, a, e, b, (int d, const char *a, int e, const char *b, unsigned f), (d, a, e, b, f))
ON_NAMES(linkat, "link", d, a, e, b, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f))
ON_NAME(symlinkat, "symlink", e, b, (const char *a, int e, const char *b), (a, e, b))
ON_NAME(unlinkat, f &AT_REMOVEDIR ? "rmdir" : "unlink", d, a, (int d, const char *a, int f), (d, a, f))
ON_NAME(mkdirat, "mkdir", d, a, (int d, const char *a, mode_t m), (d, a, m))
ON_NAME(fchmodat, "chmod", d, a, (int d, const char *a, mode_t m, int f), (d, a, m, f))
ON_NAME(fchownat, "chown", d, a, (int d, const char *a, uid_t u, gid_t g, int f), (d, a, u, g, f))
ON_NAME(utimensat, "utimes", d, a, (int d, const char *a, const struct timespec t[2], int f), (d, a, t, f))
