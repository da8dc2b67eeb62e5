/* A plugin in plain C against abi.h alone, right as it stands. Each macro makes one thing wrong:
 *   TEST_ID            another id                      TEST_ABI_MAJOR    a manifest of another ABI
 *   TEST_TABLE_ID      a table unlike its manifest     TEST_TABLE_ABI    a table of another ABI
 *   TEST_NO_ENTRY      no entry symbol                 TEST_EXPORT       a second exported symbol
 *   TEST_ON_LOAD       code that runs while loading    TEST_ATTACH_FAILS attach() refuses the host
 *   TEST_UNRESOLVED    a function that nobody defines TEST_ON_CREATE    what create() does first
 *   TEST_MESSAGE       what it says of a scale above 9
 * and one makes nothing wrong:
 *   TEST_ODR_INDICATOR what AddressSanitizer exports beside the entry
 */
#include <fenv.h>
#include <retort/abi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#ifndef TEST_ID
#define TEST_ID "test.good"
#endif
#ifndef TEST_ABI_MAJOR
#define TEST_ABI_MAJOR RETORT_ABI_MAJOR
#endif
#ifndef TEST_TABLE_ID
#define TEST_TABLE_ID TEST_ID
#endif
#ifdef TEST_RUDE /* a terminal's controls, a forged line, text from right to left, no UTF-8 */
#define TEST_MESSAGE "\x1b]0;owned\x07\x1b[2J\rfine\nerror: forged \xe2\x80\xae \xc2\x9b \xff"
#endif
#ifndef TEST_MESSAGE
#define TEST_MESSAGE "scale is above 9"
#endif
#ifndef TEST_TABLE_ABI
#define TEST_TABLE_ABI RETORT_ABI_MAJOR
#endif

enum { OPTION_SCALE, OPTION_PATH, OPTION_MODE, OPTION_LOUD, OPTION_COUNT };

struct manifest {
  retort_manifest_header header;
  retort_component_record component;
  retort_option_record options[OPTION_COUNT];
  retort_use_record use;
};

__attribute__((section(RETORT_MANIFEST_SECTION), used)) static const struct manifest manifest = {
    .header = {.magic = RETORT_MANIFEST_MAGIC,
               .struct_size = sizeof(retort_manifest_header),
               .abi_major = TEST_ABI_MAJOR,
               .abi_minor = RETORT_ABI_MINOR,
               .component_count = 1,
               .component_stride = sizeof(retort_component_record),
               .option_count = OPTION_COUNT,
               .option_stride = sizeof(retort_option_record),
               .use_count = 1,
               .use_stride = sizeof(retort_use_record),
               .total_size = sizeof(struct manifest)},
    .component = {.kind = RETORT_KIND_STRATEGY,
                  .needs = RETORT_NEED_LOGITS | RETORT_NEED_LABELS,
                  .option_count = OPTION_COUNT,
                  .use_count = 1,
                  .batch_min = 2,
                  .id = TEST_ID,
                  .version = "1.2.3",
                  .summary = "Keeps the options it is given",
                  .licence = "MIT",
                  .bind_student = "layer2.preact,pooled"},
    .options = {{.name = "scale",
                 .type = RETORT_OPTION_REAL,
                 .flags = RETORT_OPTION_HAS_MIN | RETORT_OPTION_MIN_OPEN | RETORT_OPTION_HAS_MAX,
                 .default_real = 4,
                 .max = 10,
                 .help = "refused by the plugin itself above 9"},
                {.name = "path", .type = RETORT_OPTION_TEXT, .default_text = "none"},
                {.name = "mode",
                 .type = RETORT_OPTION_CHOICE,
                 .default_int = 1,
                 .choices = "paper|released"},
                {.name = "loud", .type = RETORT_OPTION_BOOL}},
    .use = {.name = "aten::erf"},
};

static int64_t living;
static int64_t attached;

static int32_t fail(retort_error* error, int32_t code, const char* message) {
  error->code = code;
  strcpy(error->message, message);
  return code;
}

#ifdef TEST_ON_CREATE
void throw_a_number(void);
#endif

static int32_t create(void** self, retort_error* error) {
#ifdef TEST_ON_CREATE
  TEST_ON_CREATE;
#endif
  *self = calloc(1, sizeof(struct test_values));
  if (*self == NULL) return fail(error, RETORT_FAILED, "out of memory");
  ++living;
  return RETORT_OK;
}

static void destroy(void* self) {
  free(self);
  --living;
}

static int32_t set_option(void* self, uint32_t index, const retort_value* value,
                          retort_error* error) {
  struct test_values* values = (struct test_values*)self;
  if (index == OPTION_SCALE && value->as.real > 9)
    return fail(error, value->as.real > 9.5 ? RETORT_FAILED : RETORT_BAD_CONFIG,
                TEST_MESSAGE);
  switch (index) {
    case OPTION_SCALE:
      values->scale = value->as.real;
      break;
    case OPTION_PATH:
      values->path = value->as.text;
      break;
    case OPTION_MODE:
      values->mode = value->as.integer;
      break;
    case OPTION_LOUD:
      values->loud = value->as.integer;
      break;
    default:
      return fail(error, RETORT_BAD_ARGUMENT, "no such option");
  }
  return RETORT_OK;
}

static const struct test_values* values(void* self) { return (const struct test_values*)self; }
static int64_t count_living(void) { return living; }
static int64_t count_attached(void) { return attached; }

static const void* find_interface(const char* id) {
  static const struct test_options_interface functions = {.struct_size = sizeof functions,
                                                          .values = values,
                                                          .living = count_living,
                                                          .attached = count_attached};
  return strcmp(id, TEST_OPTIONS_INTERFACE) == 0 ? &functions : NULL;
}

static int32_t attach(const retort_host* host, retort_error* error) {
  (void)host;
  ++attached;
#ifdef TEST_ATTACH_FAILS
  return fail(error, RETORT_FAILED, "no such operator");
#else
  (void)error;
  return RETORT_OK;
#endif
}

static const retort_component component = {.struct_size = sizeof component,
                                           .kind = RETORT_KIND_STRATEGY,
                                           .id = TEST_TABLE_ID,
                                           .create = create,
                                           .destroy = destroy,
                                           .set_option = set_option,
                                           .find_interface = find_interface};

#ifdef TEST_NO_ENTRY
#define ENTRY __attribute__((used)) static
#else
#define ENTRY __attribute__((visibility("default")))
extern ENTRY const retort_plugin retort_plugin_v1;
#endif
ENTRY const retort_plugin retort_plugin_v1 = {.struct_size = sizeof retort_plugin_v1,
                                              .abi_major = TEST_TABLE_ABI,
                                              .abi_minor = RETORT_ABI_MINOR,
                                              .component_count = 1,
                                              .component_stride = sizeof component,
                                              .components = &component,
                                              .attach = attach};

#ifdef TEST_EXPORT
__attribute__((visibility("default"))) int32_t helper_of_mine(void);
int32_t helper_of_mine(void) { return 1; }
#endif

#ifdef TEST_ODR_INDICATOR
__attribute__((visibility("default"))) extern char odr_indicator __asm__(
    "__odr_asan." RETORT_ENTRY_SYMBOL);
char odr_indicator = 0;
#endif

#ifdef TEST_UNRESOLVED
int32_t function_of_nobody(void);
__attribute__((used)) static int32_t ask_nobody(void) { return function_of_nobody(); }
#endif

#ifdef TEST_ON_LOAD
__attribute__((constructor)) static void on_load(void) { TEST_ON_LOAD; }
#endif
