/* Preloaded into the program under test: counts the file operations below RETORT_SHIM_UNDER.
 *   RETORT_SHIM_KILL_AT    ends the process before operation number N, as SIGKILL does. One that
 *                          writes is torn first: half of its bytes reach the file.
 *   RETORT_SHIM_FAIL_AT    operation N alone fails with RETORT_SHIM_ERRNO
 *   RETORT_SHIM_FAIL_FROM  N and all behind it fail, the first write after half of its bytes
 * Those that fail, and are counted then, are those that need room or a working disk: nothing that
 * reads or removes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fate { GOES_ON, FAILS, BEGINS_TO_FAIL, DIES };

static int number(const char* variable) {
  const char* text = getenv(variable);
  return text == NULL ? 0 : atoi(text);
}

/* What becomes of an operation on a watched file. */
static enum fate fate_of(int needs_disk) {
  static int done = 0;
  const int kill_at = number("RETORT_SHIM_KILL_AT");
  const int fail_at = number("RETORT_SHIM_FAIL_AT");
  const int fail_from = number("RETORT_SHIM_FAIL_FROM");
  if (kill_at == 0 && !(needs_disk && fail_at + fail_from > 0)) return GOES_ON;
  const int now = __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
  if (now == kill_at) return DIES;
  if (now != fail_at && (fail_from == 0 || now < fail_from)) return GOES_ON;
  errno = number("RETORT_SHIM_ERRNO");
  return now == fail_from ? BEGINS_TO_FAIL : FAILS;
}

static int watched(const char* path) {
  const char* folder = getenv("RETORT_SHIM_UNDER");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int watched_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return watched(path);
}

/* 1 where the operation fails; does not return where it dies. */
static int fails(int is_watched, int needs_disk) {
  if (!is_watched) return 0;
  const enum fate fate = fate_of(needs_disk);
  if (fate == DIES) raise(SIGKILL);
  return fate != GOES_ON;
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, #name))

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (fails(watched(path), flags & O_CREAT)) return -1;
  return NEXT(int (*)(const char*, int, ...), open)(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (fails(watched(path), flags & O_CREAT)) return -1;
  return NEXT(int (*)(const char*, int, ...), open64)(path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  ssize_t (*next)(int, const void*, size_t) = NEXT(ssize_t(*)(int, const void*, size_t), write);
  if (fd <= 2 || !watched_fd(fd)) return next(fd, data, size);
  const enum fate fate = fate_of(1);
  if (fate == FAILS || (fate == BEGINS_TO_FAIL && size < 2)) return -1;
  if (fate == GOES_ON) return next(fd, data, size);
  const ssize_t half = next(fd, data, size / 2);
  if (fate == DIES) raise(SIGKILL);
  return half;
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  if (fails(watched_fd(fd), 1)) return -1;
  return NEXT(ssize_t(*)(int, const void*, size_t, off_t), pwrite)(fd, data, size, offset);
}

int fsync(int fd) {
  if (fails(watched_fd(fd), 1)) return -1;
  return NEXT(int (*)(int), fsync)(fd);
}

int rename(const char* from, const char* to) {
  if (fails(watched(to), 1)) return -1;
  return NEXT(int (*)(const char*, const char*), rename)(from, to);
}

int mkdir(const char* path, mode_t mode) {
  if (fails(watched(path), 1)) return -1;
  return NEXT(int (*)(const char*, mode_t), mkdir)(path, mode);
}

int unlink(const char* path) {
  if (fails(watched(path), 0)) return -1;
  return NEXT(int (*)(const char*), unlink)(path);
}

int remove(const char* path) {
  if (fails(watched(path), 0)) return -1;
  return NEXT(int (*)(const char*), remove)(path);
}
