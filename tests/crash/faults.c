/* Lets calls fail that only read: the system that fails under a command that looks at something.
 * Loaded with LD_PRELOAD; knows nothing of the program under test.
 *
 *   FAULT_CALL=NAME     which kind of call: open, read, stat, list, lock, map, access,
 *                       accept or thread
 *   FAULT_AT=N          call number N of this kind fails, counted from 1 over all threads
 *   FAULT_FROM=N        it and all after it
 *   FAULT_ERRNO=E       what it reports
 *   FAULT_COUNT_FILE=F  write the number of calls of this kind to F when the process exits by itself
 *
 * Counted are calls on regular files and directories only, and mappings of files. Linux and glibc.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong calls;
static const char *kind = "";
static unsigned long fault_at, fault_from;
static int fail_with;

__attribute__((constructor)) static void setup(void)
{
    const char *call = getenv("FAULT_CALL");
    const char *at = getenv("FAULT_AT");
    const char *from = getenv("FAULT_FROM");
    const char *error = getenv("FAULT_ERRNO");
    kind = call ? call : "";
    fault_at = at ? strtoul(at, NULL, 10) : 0;
    fault_from = from ? strtoul(from, NULL, 10) : 0;
    fail_with = error ? atoi(error) : EIO;
}

__attribute__((destructor)) static void report(void)
{
    const char *file = getenv("FAULT_COUNT_FILE");
    char text[32];
    int length, fd;
    if (!file)
        return;
    length = snprintf(text, sizeof text, "%lu\n", atomic_load(&calls));
    fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_write, fd, text, length) != length)
        abort();
    syscall(SYS_close, fd);
}

/* Whether this call of a kind fails; errno says how. */
static int fails(const char *name)
{
    unsigned long number;
    if (strcmp(name, kind) != 0)
        return 0;
    number = atomic_fetch_add(&calls, 1) + 1;
    if (number != fault_at && (fault_from == 0 || number < fault_from))
        return 0;
    errno = fail_with;
    return 1;
}

static int is_disk(int fd)
{
    struct stat about;
    int keep = errno;
    int yes = syscall(SYS_fstat, fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
    errno = keep;
    return yes;
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {                                   \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        MODE(flags)                                                                                \
        return fails("open") ? -1 : REAL(name)(path, flags, mode);                                 \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        MODE(flags)                                                                                \
        return fails("open") ? -1 : REAL(name)(dir, path, flags, mode);                            \
    }
OPENAT(openat)
OPENAT(openat64)

DIR *opendir(const char *path) { return fails("open") ? NULL : REAL(opendir)(path); }

ssize_t read(int fd, void *bytes, size_t length)
{
    return is_disk(fd) && fails("read") ? -1 : REAL(read)(fd, bytes, length);
}

#define PREAD(name, offset_t)                                                                      \
    ssize_t name(int fd, void *bytes, size_t length, offset_t offset)                              \
    {                                                                                              \
        return is_disk(fd) && fails("read") ? -1 : REAL(name)(fd, bytes, length, offset);          \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define STAT(name, PARAMETERS, ARGUMENTS)                                                          \
    int name PARAMETERS { return fails("stat") ? -1 : REAL(name) ARGUMENTS; }
STAT(stat, (const char *path, struct stat *about), (path, about))
STAT(lstat, (const char *path, struct stat *about), (path, about))
STAT(fstat, (int fd, struct stat *about), (fd, about))
STAT(fstatat, (int fd, const char *path, struct stat *about, int flags), (fd, path, about, flags))
STAT(stat64, (const char *path, struct stat64 *about), (path, about))
STAT(lstat64, (const char *path, struct stat64 *about), (path, about))
STAT(fstat64, (int fd, struct stat64 *about), (fd, about))
STAT(fstatat64, (int fd, const char *path, struct stat64 *about, int flags), (fd, path, about, flags))
STAT(statx, (int fd, const char *path, int flags, unsigned mask, struct statx *about), (fd, path, flags, mask, about))

struct dirent *readdir(DIR *dir) { return fails("list") ? NULL : REAL(readdir)(dir); }
struct dirent64 *readdir64(DIR *dir) { return fails("list") ? NULL : REAL(readdir64)(dir); }

#define CONTROL(name)                                                                              \
    int name(int fd, int command, ...)                                                             \
    {                                                                                              \
        va_list list;                                                                              \
        void *argument;                                                                            \
        va_start(list, command);                                                                   \
        argument = va_arg(list, void *);                                                           \
        va_end(list);                                                                              \
        if ((command == F_SETLK || command == F_SETLKW || command == F_GETLK) && fails("lock"))    \
            return -1;                                                                             \
        return REAL(name)(fd, command, argument);                                                  \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

#define MAP(name, offset_t)                                                                        \
    void *name(void *where, size_t length, int rights, int flags, int fd, offset_t offset)         \
    {                                                                                              \
        if (!(flags & MAP_ANONYMOUS) && fails("map"))                                              \
            return MAP_FAILED;                                                                     \
        return REAL(name)(where, length, rights, flags, fd, offset);                               \
    }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

int access(const char *path, int mode) { return fails("access") ? -1 : REAL(access)(path, mode); }

int faccessat(int dir, const char *path, int mode, int flags)
{
    return fails("access") ? -1 : REAL(faccessat)(dir, path, mode, flags);
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return fails("accept") ? -1 : REAL(accept)(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return fails("accept") ? -1 : REAL(accept4)(fd, address, length, flags);
}

/* It returns the error number. */
int pthread_create(pthread_t *thread, const pthread_attr_t *about, void *(*start)(void *), void *argument)
{
    return fails("thread") ? fail_with : REAL(pthread_create)(thread, about, start, argument);
}
