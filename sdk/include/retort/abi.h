/* Retort's whole binary interface between a host program and a plugin: C11, nothing but fixed-width
 * integers.
 *
 * A plugin links nothing of LibTorch. The host gives it one table of functions (retort_host); every
 * tensor operation goes through `call`. A plugin gives the host two things:
 *   1. a manifest in the ELF section ".retort", read from the file before any code of the plugin
 *      runs;
 *   2. one exported data symbol, `retort_plugin_v1`, a constant table of its components.
 *
 * Rules of growth (in force from the first commit, frozen with version 1):
 *   - a struct begins with struct_size and grows by appending; a reader tests
 *     `struct_size >= what it needs`, never ==;
 *   - an array of structs is walked by its stride, never by sizeof;
 *   - a new ability of a component is a new interface id, asked for with
 *     retort_component.find_interface;
 *   - ABI major 0: host and plugin must be equal; from 1 on a host speaks a range of majors, and
 *     takes any plugin whose minor is not above its own.
 *
 * Handles passed in are borrowed (`retain` keeps one); results are owned by the caller (`release`).
 * A null tensor is the undefined tensor and is never counted. No exception, no allocation and no
 * C++ type crosses. */
#ifndef RETORT_ABI_H
#define RETORT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RETORT_ABI_MAJOR 0u
#define RETORT_ABI_MINOR 2u
#define RETORT_MANIFEST_SECTION ".retort"
#define RETORT_MANIFEST_MAGIC "RETORT\x1a\n"
#define RETORT_ENTRY_SYMBOL "retort_plugin_v1"
#define RETORT_MAX_RANK 8

/* ---- errors ---------------------------------------------------------------------------------- */

/* Every fallible function returns one of these; 0 is success. */
typedef enum retort_code {
  RETORT_OK = 0,
  RETORT_BAD_ARGUMENT = 1, /* a tag, count or name that the callee does not take */
  RETORT_BAD_SHAPE = 2,    /* tensors that do not fit together */
  RETORT_BAD_CONFIG = 3,   /* an option value that cannot work */
  RETORT_BAD_DATA = 4,     /* a file that is missing or damaged */
  RETORT_NO_OPERATOR = 5,  /* find_op: this host's LibTorch has no such operator */
  RETORT_OPERATOR_FAILED = 6,
  /* called from a thread that the host did not enter the plugin on, or in a wrong phase */
  RETORT_NO_SCOPE = 7,
  RETORT_CAPACITY = 8, /* the caller's array is too small; *count says what is needed */
  RETORT_FAILED = 9    /* anything else; the message says what */
} retort_code;

/* Allocated by the caller, filled by the callee when it fails. The message is cut to fit;
 * last_error has the whole. */
typedef struct retort_error {
  uint32_t struct_size;
  int32_t code;
  char message[1016];
} retort_error;

/* ---- values ---------------------------------------------------------------------------------- */

typedef struct retort_tensor_impl* retort_tensor; /* opaque; null is the undefined tensor */
typedef struct retort_op_impl* retort_op;         /* opaque; lives as long as the host */

typedef enum retort_dtype {
  RETORT_FLOAT32 = 1,
  RETORT_FLOAT64 = 2,
  RETORT_FLOAT16 = 3,
  RETORT_BFLOAT16 = 4,
  RETORT_INT64 = 5,
  RETORT_INT32 = 6,
  RETORT_INT16 = 7,
  RETORT_INT8 = 8,
  RETORT_UINT8 = 9,
  RETORT_BOOL = 10
} retort_dtype;

typedef enum retort_tag {
  RETORT_TAG_NONE = 0,
  RETORT_TAG_TENSOR = 1, /* as.tensor */
  /* as.integer: a slot; the host resolves it at each call to the tensor in use */
  RETORT_TAG_PARAM = 2,
  RETORT_TAG_INT = 3,    /* as.integer */
  RETORT_TAG_REAL = 4,   /* as.real */
  RETORT_TAG_BOOL = 5,   /* as.integer, 0 or 1 */
  RETORT_TAG_TEXT = 6,   /* as.text, count bytes, no terminator needed */
  RETORT_TAG_DTYPE = 7,  /* as.integer, a retort_dtype */
  RETORT_TAG_INTS = 8,   /* as.integers, count entries */
  RETORT_TAG_REALS = 9,  /* as.reals */
  RETORT_TAG_BOOLS = 10, /* as.bools */
  /* as.values: none, tensor or param each; none stands for "no tensor" in an index list */
  RETORT_TAG_TENSORS = 11
} retort_tag;

typedef enum retort_value_flags {
  /* On the first argument of `call`, a tensor that the caller owns: it is not looked at again, so
   * the host may reuse its memory for the result. The caller still releases its handle. */
  RETORT_VALUE_LAST_USE = 1
} retort_value_flags;

typedef struct retort_value {
  int32_t tag;
  int32_t flags; /* retort_value_flags */
  int64_t count; /* entries of a list, bytes of a text; 0 otherwise */
  union {
    retort_tensor tensor;
    int64_t integer;
    double real;
    const char* text;
    const int64_t* integers;
    const double* reals;
    const uint8_t* bools;
    const struct retort_value* values;
  } as;
} retort_value;

/* ---- parameters and random numbers ----------------------------------------------------------- */

typedef enum retort_init_kind {
  RETORT_INIT_CONSTANT = 0,        /* a */
  RETORT_INIT_UNIFORM = 1,         /* [a, b) */
  RETORT_INIT_NORMAL = 2,          /* mean a, standard deviation b */
  RETORT_INIT_KAIMING_UNIFORM = 3, /* a = negative slope; b = 0 fan_in, 1 fan_out */
  RETORT_INIT_KAIMING_NORMAL = 4,  /* the same */
  RETORT_INIT_XAVIER_UNIFORM = 5,  /* a = gain */
  RETORT_INIT_XAVIER_NORMAL = 6,   /* a = gain */
  RETORT_INIT_VALUES = 7           /* values, row major */
} retort_init_kind;

typedef enum retort_role {
  RETORT_ROLE_WEIGHT = 0,
  RETORT_ROLE_BIAS = 1, /* left out of weight decay by no_decay = ["bias"] */
  /* scale or shift of a normalisation; no_decay = ["bn"]; stays float32 under bf16 */
  RETORT_ROLE_NORM = 2
} retort_role;

/* Declares a parameter (trained, float32) or a buffer (state that the optimizer does not touch). */
typedef struct retort_parameter_spec {
  uint32_t struct_size;
  int32_t role;     /* retort_role; ignored for a buffer */
  const char* name; /* dotted, as PyTorch's state_dict writes it: "layer1.0.conv1.weight" */
  uint32_t rank;
  /* retort_init_kind; drawn from (seed, network, name), so the order of declarations does not
   * matter */
  int32_t init;
  const int64_t* sizes;
  double init_a;
  double init_b;
  const double* values; /* RETORT_INIT_VALUES: as many as the product of sizes */
  double lr_scale;      /* multiplies the learning rate; 1 is usual */
} retort_parameter_spec;

typedef enum retort_draw_kind {
  RETORT_DRAW_UNIFORM = 0, /* float32 in [a, b) */
  RETORT_DRAW_NORMAL = 1,  /* float32, mean a, standard deviation b */
  RETORT_DRAW_INTEGERS = 2 /* int64 in [a, b) */
} retort_draw_kind;

/* A named draw: its key is (seed, transfer, name, step), so it can be recorded, repeated and
 * overridden by name. Made in loss and after_backward, of each name once a step. */
typedef struct retort_draw_spec {
  uint32_t struct_size;
  int32_t kind;
  const char* name;
  uint32_t rank;
  uint32_t reserved;
  const int64_t* sizes;
  double a;
  double b;
} retort_draw_spec;

/* ---- the host's table ------------------------------------------------------------------------ */

typedef struct retort_bytes {
  const uint8_t* data;
  uint64_t size;
  void* owner;
} retort_bytes;

/* Given to a plugin once, by retort_plugin.attach; valid until the process ends. It grows by
 * appending. */
typedef struct retort_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;

  /* Finds an ATen operator: ("aten::log_softmax", "int"). The overload is "" for an operator
   * without one. */
  int32_t (*find_op)(const char* name, const char* overload, retort_op* op, retort_error* error);
  /* Runs it, autograd included. Arguments are in the schema's order and checked against it;
   * trailing ones with a default may be left out. A result that is a list of tensors is laid out
   * flat. `capacity` entries fit into results. */
  int32_t (*call)(retort_op op, const retort_value* arguments, int64_t count, retort_value* results,
                  int64_t capacity, int64_t* result_count, retort_error* error);
  retort_tensor (*retain)(retort_tensor tensor);
  void (*release)(retort_tensor tensor);
  /* `sizes` has room for RETORT_MAX_RANK. */
  int32_t (*shape)(const retort_value* tensor, int64_t* sizes, uint32_t* rank, retort_error* error);
  int32_t (*dtype)(const retort_value* tensor, int32_t* dtype, retort_error* error);
  /* The one element of a tensor, as int, real or bool. Waits for the device; refused in a model's
   * forward. */
  int32_t (*item)(const retort_value* tensor, retort_value* scalar, retort_error* error);
  /* Copies row-major memory to a tensor on the scope's device. */
  int32_t (*copy_from_host)(int32_t dtype, const int64_t* sizes, uint32_t rank, const void* data,
                            retort_tensor* tensor, retort_error* error);
  /* Switches gradient recording of this thread on (1) or off (0); returns what it was. Restored
   * when the plugin returns. */
  int32_t (*grad_mode)(int32_t enabled);
  /* d(sum of outputs)/d(inputs); an input that does not matter gets null. */
  int32_t (*grad)(const retort_value* outputs, int64_t output_count, const retort_value* inputs,
                  int64_t input_count, int32_t create_graph, retort_tensor* grads,
                  retort_error* error);
  /* Only while a model builds or a strategy is set up. */
  int32_t (*declare_parameter)(const retort_parameter_spec* spec, int64_t* slot,
                               retort_error* error);
  int32_t (*declare_buffer)(const retort_parameter_spec* spec, int64_t* slot, retort_error* error);
  int32_t (*draw)(const retort_draw_spec* spec, retort_tensor* tensor, retort_error* error);
  /* Publishes an intermediate of a model's forward pass under the name of a tap. */
  int32_t (*publish)(const char* tap, const retort_value* tensor, retort_error* error);
  /* 1 while the network trains (batch norm uses batch statistics), 0 in evaluation. */
  int32_t (*training)(void);
  /* Records a 0-d tensor or a number under a name in the run's metrics. */
  int32_t (*log)(const char* name, const retort_value* value, retort_error* error);
  /* Reads a whole file, inflating gzip. At most max_bytes after inflating; more is an error that
   * names the path. */
  int32_t (*read_file)(const char* path, uint64_t max_bytes, retort_bytes* bytes,
                       retort_error* error);
  void (*release_bytes)(retort_bytes* bytes);
  /* The whole text of this thread's last error. */
  const char* (*last_error)(void);
  /* 1 when somebody asked for the tap, 0 when `publish` would drop it: a model may then take a
   * faster way that never makes the tensor. The result of forward() must not depend on it. */
  int32_t (*wants_tap)(const char* tap);
  /* Tells the user something that is allowed but surprising. Only while a model builds or a strategy
   * is set up. */
  int32_t (*warn)(const char* text, retort_error* error);
  /* Reads the first `count` bytes of a file, inflating gzip that far and no further; all of a file
   * that has fewer. */
  int32_t (*read_head)(const char* path, uint64_t count, retort_bytes* bytes, retort_error* error);
} retort_host;

/* ---- what a component is told ---------------------------------------------------------------- */

typedef struct retort_shape {
  uint32_t struct_size;
  uint32_t rank;
  const char* name; /* of the tap */
  int64_t sizes[RETORT_MAX_RANK];
} retort_shape;

typedef struct retort_network_shapes {
  uint32_t struct_size;
  uint32_t feature_stride;
  int64_t feature_count;
  const retort_shape* features; /* of the taps bound to this strategy, for a batch of batch_size */
  retort_shape logits;
} retort_network_shapes;

typedef struct retort_setup {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t class_count;
  int64_t train_count; /* samples, those that are held out for validation included */
  int64_t batch_size;
  int64_t epoch_count;
  int64_t step_count; /* over all epochs */
  /* of the whole training set, train_count of them: labels[i] belongs to the sample that a step's
   * indices call i. Null without RETORT_NEED_LABELS; valid as long as self */
  const int64_t* labels;
  const retort_network_shapes* student;
  const retort_network_shapes* teacher;
} retort_setup;

typedef struct retort_network_step {
  uint32_t struct_size;
  uint32_t reserved;
  retort_value logits;          /* [N, C] float32 */
  const retort_value* features; /* tensors, in the order of the binding */
  int64_t feature_count;
} retort_network_step;

/* What the component's record does not declare in `needs` is not handed over: a value of tag none,
 * no features. */
typedef struct retort_step {
  uint32_t struct_size;
  uint32_t reserved;
  const retort_network_step* student;
  const retort_network_step* teacher; /* no gradient */
  retort_value labels;                /* [N] int64 */
  retort_value indices;               /* [N] int64, positions in the training set */
  retort_value progress;              /* [] float32, 0 at the first step, 1 at the end */
  int64_t epoch;                      /* 0-based */
  int64_t step;                       /* 0-based, over all epochs */
} retort_step;

typedef struct retort_model_build {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t class_count;
  int64_t channels;
  int64_t height;
  int64_t width;
} retort_model_build;

typedef struct retort_dataset_info {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t train_count;
  int64_t test_count;
  int64_t channels;
  int64_t height;
  int64_t width;
  int64_t class_count;
  const double* mean; /* `channels` entries, of pixels in [0, 1] */
  const double* stddev;
  const char* const* class_names; /* class_count entries, or null */
} retort_dataset_info;

typedef enum retort_split { RETORT_SPLIT_TRAIN = 0, RETORT_SPLIT_TEST = 1 } retort_split;

/* ---- what a component offers ----------------------------------------------------------------- */

#define RETORT_STRATEGY_INTERFACE "retort.strategy/0"
#define RETORT_MODEL_INTERFACE "retort.model/0"
#define RETORT_DATASET_INTERFACE "retort.dataset/0"

typedef struct retort_strategy_interface {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*setup)(void* self, const retort_setup* setup, retort_error* error);
  /* A [] tensor; owned by the caller. */
  int32_t (*loss)(void* self, const retort_step* step, retort_value* loss, retort_error* error);
  int32_t (*after_backward)(void* self, const retort_step* step, retort_error* error);
} retort_strategy_interface;

typedef struct retort_model_interface {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*build)(void* self, const retort_model_build* build, retort_error* error);
  /* input [N, channels, height, width] -> logits [N, class_count], owned by the caller; taps go to
   * `publish`. */
  int32_t (*forward)(void* self, const retort_value* input, retort_value* logits,
                     retort_error* error);
} retort_model_interface;

typedef struct retort_dataset_interface {
  uint32_t struct_size;
  uint32_t reserved;
  /* Opens the files and checks them; what info points to lives as long as self. */
  int32_t (*open)(void* self, retort_dataset_info* info, retort_error* error);
  /* Writes samples [first, first + count): uint8 pixels [count, channels, height, width] and their
   * labels. */
  int32_t (*read)(void* self, int32_t split, int64_t first, int64_t count, uint8_t* pixels,
                  int64_t* labels, retort_error* error);
} retort_dataset_interface;

typedef enum retort_kind {
  RETORT_KIND_STRATEGY = 1,
  RETORT_KIND_MODEL = 2,
  RETORT_KIND_DATASET = 3
} retort_kind;

typedef struct retort_component {
  uint32_t struct_size;
  uint32_t kind;  /* retort_kind */
  const char* id; /* as in the manifest, in the same order */
  int32_t (*create)(void** self, retort_error* error);
  void (*destroy)(void* self);
  /* Sets the option of that index in the component's manifest; a text lives as long as self. */
  int32_t (*set_option)(void* self, uint32_t index, const retort_value* value, retort_error* error);
  /* The interface of that id, or null. */
  const void* (*find_interface)(const char* interface_id);
} retort_component;

typedef struct retort_plugin {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t component_count;
  uint32_t component_stride;
  uint32_t reserved;
  const retort_component* components;
  int32_t (*attach)(const retort_host* host, retort_error* error);
} retort_plugin;

/* ---- the manifest: fixed-size records without pointers, in section ".retort" ----------------- */

typedef enum retort_option_type {
  RETORT_OPTION_REAL = 1,
  RETORT_OPTION_INT = 2,
  RETORT_OPTION_BOOL = 3,
  RETORT_OPTION_TEXT = 4,
  RETORT_OPTION_CHOICE = 5 /* one of `choices`; set as an int, its position */
} retort_option_type;

typedef enum retort_option_flags {
  RETORT_OPTION_HAS_MIN = 1,
  RETORT_OPTION_HAS_MAX = 2,
  RETORT_OPTION_MIN_OPEN = 4, /* the bound itself is not allowed */
  RETORT_OPTION_MAX_OPEN = 8,
  RETORT_OPTION_REQUIRED = 16
} retort_option_flags;

/* Texts are zero-padded and end with at least one zero byte. */
typedef struct retort_option_record {
  char name[40];
  uint32_t type;
  uint32_t flags;
  double default_real;
  int64_t default_int; /* int, bool, choice */
  double min;
  double max;
  char default_text[64];
  char choices[160]; /* separated by '|' */
  char unit[24];
  char help[160];
} retort_option_record;

/* What a strategy is handed; with none of the first four, the logits. */
typedef enum retort_need {
  RETORT_NEED_LOGITS = 1,
  RETORT_NEED_FEATURES = 2,
  RETORT_NEED_LABELS = 4, /* of a step, and of the set-up */
  RETORT_NEED_INDICES = 8,
  RETORT_NEED_SYNC = 16, /* waits for the device inside loss() (SVD, solve, item) */
  RETORT_NEED_NO_TEACHER =
      32 /* works without a teacher: its logits may be null, its features none */
} retort_need;

typedef struct retort_component_record {
  uint32_t kind;
  uint32_t needs;
  uint32_t first_option; /* index of its first retort_option_record */
  uint32_t option_count;
  uint32_t first_use; /* index of its first retort_use_record */
  uint32_t use_count;
  int64_t batch_min;
  int64_t batch_multiple_of;
  char id[56];
  char version[24];
  char summary[160];
  char licence[32];
  char bind_student[64]; /* default taps, separated by ','; empty when none */
  char bind_teacher[64];
  char paper[96];    /* "Hinton et al. 2015, arXiv:1503.02531" */
  char verified[96]; /* whose code gave the values it is tested against; empty: none */
} retort_component_record;

/* An operator outside the contract that a component declares; resolved before training. */
typedef struct retort_use_record {
  char name[72];
  char overload[32];
} retort_use_record;

typedef struct retort_manifest_header {
  char magic[8];
  uint32_t struct_size; /* of this header */
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t component_count;
  uint32_t component_stride;
  uint32_t option_count;
  uint32_t option_stride;
  uint32_t use_count;
  uint32_t use_stride;
  uint32_t total_size; /* of header, components, options and uses, in this order without gaps */
} retort_manifest_header;

#ifdef __cplusplus
}
#endif

#endif /* RETORT_ABI_H */
