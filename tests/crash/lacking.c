/* A file system that lacks something: every call of the named kinds fails, the first and the last.
 * Loaded with LD_PRELOAD; knows nothing of the program under test.
 *
 *   LACKING="NAME=ERRNO ..."   names: chmod, utimes, chown, link, noreplace (renameat2 with flags), syncfs,
 *                              sync-dir, sync-file, lock (of files whose names end in "lock", and flock), every-lock (of
 *                              other files, too), modes (all have 0777, and no change has an effect; the number means nothing)
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

/* The error number of calls of this kind; 0 where they do not fail. */
static int number_of(const char *name)
{
    size_t length = strlen(name);
    const char *at;
    for (at = lacking; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == lacking || at[-1] == ' ') && at[length] == '=')
            return atoi(at + length + 1);
    }
    return 0;
}

/* Whether calls of this kind fail; errno says how. */
static int fails(const char *name)
{
    int number = number_of(name);
    if (!number)
        return 0;
    atomic_fetch_add(&failed, 1);
    errno = number;
    return 1;
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

#define MODES(name, PARAMETERS, ARGUMENTS)                                                          \
    int name PARAMETERS { return number_of("modes") ? 0 : fails("chmod") ? -1 : REAL(name) ARGUMENTS; }

MODES(chmod, (const char *path, mode_t mode), (path, mode))
MODES(fchmod, (int fd, mode_t mode), (fd, mode))
MODES(fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))

/* What is told of a file or directory: every mode is 0777. */
#define TOLD(name, TYPE, FIELD, PARAMETERS, ARGUMENTS)                                             \
    int name PARAMETERS                                                                            \
    {                                                                                              \
        int result = REAL(name) ARGUMENTS;                                                         \
        if (result == 0 && number_of("modes") && (S_ISDIR(about->FIELD) || S_ISREG(about->FIELD))) { \
            atomic_fetch_add(&failed, 1);                                                          \
            about->FIELD |= 0777;                                                                  \
        }                                                                                          \
        return result;                                                                             \
    }

TOLD(fstat, struct stat, st_mode, (int fd, struct stat *about), (fd, about))
TOLD(fstat64, struct stat64, st_mode, (int fd, struct stat64 *about), (fd, about))
TOLD(stat, struct stat, st_mode, (const char *path, struct stat *about), (path, about))
TOLD(stat64, struct stat64, st_mode, (const char *path, struct stat64 *about), (path, about))
TOLD(lstat, struct stat, st_mode, (const char *path, struct stat *about), (path, about))
TOLD(lstat64, struct stat64, st_mode, (const char *path, struct stat64 *about), (path, about))
TOLD(fstatat, struct stat, st_mode, (int dir, const char *path, struct stat *about, int flags),
     (dir, path, about, flags))
TOLD(fstatat64, struct stat64, st_mode, (int dir, const char *path, struct stat64 *about, int flags),
     (dir, path, about, flags))
TOLD(statx, struct statx, stx_mode,
     (int dir, const char *path, int flags, unsigned mask, struct statx *about), (dir, path, flags, mask, about))

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
        if ((command == F_SETLK || command == F_SETLKW || command == F_GETLK) &&       \
            (fails("every-lock") || (is_lock(fd) && fails("lock"))))                               \
            return -1;                                                                             \
        return REAL(name)(fd, command, argument);                                                  \
    }
CONTROL(fcntl)
CONTROL(fcntl64)
