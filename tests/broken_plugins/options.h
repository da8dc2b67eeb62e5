/* What the test plugins offer besides their manifest: the option values they were given. */
#ifndef RETORT_TEST_OPTIONS_H
#define RETORT_TEST_OPTIONS_H

#include <stdint.h>

#define TEST_OPTIONS_INTERFACE "test.options/0"

struct test_values {
  double scale;
  const char* path;
  int64_t mode;
  int64_t loud;
};

struct test_options_interface {
  uint32_t struct_size;
  uint32_t reserved;
  const struct test_values* (*values)(void* self);
  int64_t (*living)(void); /* created and not yet destroyed */
  int64_t (*attached)(void);
};

#endif
