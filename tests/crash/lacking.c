/* A file system that lacks something: every call of the named kinds fails, the first and the last.
 * Loaded with LD_PRELOAD; knows nothing of the program under test.
 *
 *   LACKING="NAME=ERRNO ..."   names: chmod, utimes, chown, link, noreplace (renameat2 with flags), syncfs,
 *                              sync-dir, sync-file, lock (of files whose names end in "lock", and flock)
 *   LACKING_COUNT_FILE=F       write the number of calls that failed to F when the process exits by itself
 *
 * Linux and glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong failed;
static const char *lacking = "";
static const char *count_file;

__attribute__((constructor)) static void setup(void)
{
    const char *list = getenv("LACKING");
    lacking = list ? list : "";
    count_file = getenv("LACKING_COUNT_FILE");
}

__attribute__((destructor)) static void report(void)
{
    char text[32];
    int length, fd;
    if (!count_file)
        return;
    length = snprintf(text, sizeof text, "%lu\n", atomic_load(&failed));
    fd = syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_write, fd, text, length) != length)
        abort();
    syscall(SYS_close, fd);
}

/* Whether calls of this kind fail; errno says how. */
static int fails(const char *name)
{
    size_t length = strlen(name);
    const char *at;
    for (at = lacking; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == lacking || at[-1] == ' ') && at[length] == '=') {
            atomic_fetch_add(&failed, 1);
            errno = atoi(at + length + 1);
            return 1;
        }
    }
    return 0;
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

#define LACKS(name, kind, PARAMETERS, ARGUMENTS)                                                   \
    int name PARAMETERS { return fails(kind) ? -1 : REAL(name) ARGUMENTS; }

LACKS(chmod, "chmod", (const char *path, mode_t mode), (path, mode))
LACKS(fchmod, "chmod", (int fd, mode_t mode), (fd, mode))
LACKS(fchmodat, "chmod", (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
LACKS(futimens, "utimes", (int fd, const struct timespec times[2]), (fd, times))
LACKS(utimensat, "utimes", (int dir, const char *path, const struct timespec times[2], int flags),
      (dir, path, times, flags))
LACKS(fchown, "chown", (int fd, uid_t user, gid_t group), (fd, user, group))
LACKS(fchownat, "chown", (int dir, const char *path, uid_t user, gid_t group, int flags),
      (dir, path, user, group, flags))
LACKS(link, "link", (const char *from, const char *to), (from, to))
LACKS(linkat, "link", (int dir, const char *from, int other, const char *to, int flags), (dir, from, other, to, flags))
LACKS(syncfs, "syncfs", (int fd), (fd))
LACKS(flock, "lock", (int fd, int operation), (fd, operation))

int renameat2(int dir, const char *from, int other, const char *to, unsigned flags)
{
    return flags && fails("noreplace") ? -1 : REAL(renameat2)(dir, from, other, to, flags);
}

static int is_directory(int fd)
{
    struct stat about;
    return syscall(SYS_fstat, fd, &about) == 0 && S_ISDIR(about.st_mode);
}

#define SYNC(name)                                                                                 \
    int name(int fd) { return fails(is_directory(fd) ? "sync-dir" : "sync-file") ? -1 : REAL(name)(fd); }
SYNC(fsync)
SYNC(fdatasync)

static int is_lock(int fd)
{
    char link[64], path[4096];
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    return length >= 4 && memcmp(path + length - 4, "lock", 4) == 0;
}

#define CONTROL(name)                                                                              \
    int name(int fd, int command, ...)                                                             \
    {                                                                                              \
        va_list list;                                                                              \
        void *argument;                                                                            \
        va_start(list, command);                                                                   \
        argument = va_arg(list, void *);                                                           \
        va_end(list);                                                                              \
        if ((command == F_SETLK || command == F_SETLKW || command == F_GETLK) && is_lock(fd) && fails("lock")) \
            return -1;                                                                             \
        return REAL(name)(fd, command, argument);                                                  \
    }
CONTROL(fcntl)
CONTROL(fcntl64)
