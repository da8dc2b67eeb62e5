/* Preloaded into the program under test: counts the file operations below RETORT_KILL_UNDER and ends
 * the process, as SIGKILL does, before operation number RETORT_KILL_AT. An operation that writes is
 * torn first: half of its bytes reach the file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* under(void) { return getenv("RETORT_KILL_UNDER"); }

static int count(void) {
  static int done = 0;
  const char* at = getenv("RETORT_KILL_AT");
  return at != NULL && __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST) == atoi(at);
}

static int watched(const char* path) {
  const char* folder = under();
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

static void die(void) { raise(SIGKILL); }

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, #name))

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (watched(path) && count()) die();
  return NEXT(int (*)(const char*, int, ...), open)(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (watched(path) && count()) die();
  return NEXT(int (*)(const char*, int, ...), open64)(path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  ssize_t (*next)(int, const void*, size_t) = NEXT(ssize_t(*)(int, const void*, size_t), write);
  if (fd > 2 && watched_fd(fd) && count()) {
    if (next(fd, data, size / 2) >= 0) die();
    die();
  }
  return next(fd, data, size);
}

int fsync(int fd) {
  if (watched_fd(fd) && count()) die();
  return NEXT(int (*)(int), fsync)(fd);
}

int rename(const char* from, const char* to) {
  if (watched(to) && count()) die();
  return NEXT(int (*)(const char*, const char*), rename)(from, to);
}

int unlink(const char* path) {
  if (watched(path) && count()) die();
  return NEXT(int (*)(const char*), unlink)(path);
}

int remove(const char* path) {
  if (watched(path) && count()) die();
  return NEXT(int (*)(const char*), remove)(path);
}

int mkdir(const char* path, mode_t mode) {
  if (watched(path) && count()) die();
  return NEXT(int (*)(const char*, mode_t), mkdir)(path, mode);
}
