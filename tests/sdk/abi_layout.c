/* The binary layout of ABI 0.2, frozen. A line that fails means that files built before the change
 * would be read wrongly: raise RETORT_ABI_MINOR in retort/abi.h (a struct grows by appending), then
 * correct the line here. Compiled as C11, so it also shows that abi.h is C. */
#include "retort/abi.h"

#define VERSION(major, minor)                                                \
  _Static_assert(RETORT_ABI_MAJOR == (major) && RETORT_ABI_MINOR == (minor), \
                 "this file freezes " #major "." #minor "; changing it is a new minor")
#define SIZE(type, size) \
  _Static_assert(sizeof(type) == (size), "the size of " #type " changed: a new minor")
#define AT(type, member, offset)                     \
  _Static_assert(offsetof(type, member) == (offset), \
                 #type "." #member " moved: changing this is a new minor")

VERSION(0, 2);

SIZE(retort_error, 1024);
AT(retort_error, struct_size, 0);
AT(retort_error, code, 4);
AT(retort_error, message, 8);

SIZE(retort_value, 24);
AT(retort_value, tag, 0);
AT(retort_value, flags, 4);
AT(retort_value, count, 8);
AT(retort_value, as, 16);

SIZE(retort_parameter_spec, 64);
AT(retort_parameter_spec, struct_size, 0);
AT(retort_parameter_spec, role, 4);
AT(retort_parameter_spec, name, 8);
AT(retort_parameter_spec, rank, 16);
AT(retort_parameter_spec, init, 20);
AT(retort_parameter_spec, sizes, 24);
AT(retort_parameter_spec, init_a, 32);
AT(retort_parameter_spec, init_b, 40);
AT(retort_parameter_spec, values, 48);
AT(retort_parameter_spec, lr_scale, 56);

SIZE(retort_draw_spec, 48);
AT(retort_draw_spec, struct_size, 0);
AT(retort_draw_spec, kind, 4);
AT(retort_draw_spec, name, 8);
AT(retort_draw_spec, rank, 16);
AT(retort_draw_spec, reserved, 20);
AT(retort_draw_spec, sizes, 24);
AT(retort_draw_spec, a, 32);
AT(retort_draw_spec, b, 40);

SIZE(retort_bytes, 24);
AT(retort_bytes, data, 0);
AT(retort_bytes, size, 8);
AT(retort_bytes, owner, 16);

SIZE(retort_host, 192);
AT(retort_host, struct_size, 0);
AT(retort_host, abi_major, 4);
AT(retort_host, abi_minor, 8);
AT(retort_host, reserved, 12);
AT(retort_host, find_op, 16);
AT(retort_host, call, 24);
AT(retort_host, retain, 32);
AT(retort_host, release, 40);
AT(retort_host, shape, 48);
AT(retort_host, dtype, 56);
AT(retort_host, item, 64);
AT(retort_host, copy_from_host, 72);
AT(retort_host, grad_mode, 80);
AT(retort_host, grad, 88);
AT(retort_host, declare_parameter, 96);
AT(retort_host, declare_buffer, 104);
AT(retort_host, draw, 112);
AT(retort_host, publish, 120);
AT(retort_host, training, 128);
AT(retort_host, log, 136);
AT(retort_host, read_file, 144);
AT(retort_host, release_bytes, 152);
AT(retort_host, last_error, 160);
AT(retort_host, wants_tap, 168);
AT(retort_host, warn, 176);
AT(retort_host, read_head, 184);

SIZE(retort_shape, 80);
AT(retort_shape, struct_size, 0);
AT(retort_shape, rank, 4);
AT(retort_shape, name, 8);
AT(retort_shape, sizes, 16);

SIZE(retort_network_shapes, 104);
AT(retort_network_shapes, struct_size, 0);
AT(retort_network_shapes, feature_stride, 4);
AT(retort_network_shapes, feature_count, 8);
AT(retort_network_shapes, features, 16);
AT(retort_network_shapes, logits, 24);

SIZE(retort_setup, 72);
AT(retort_setup, struct_size, 0);
AT(retort_setup, reserved, 4);
AT(retort_setup, class_count, 8);
AT(retort_setup, train_count, 16);
AT(retort_setup, batch_size, 24);
AT(retort_setup, epoch_count, 32);
AT(retort_setup, step_count, 40);
AT(retort_setup, labels, 48);
AT(retort_setup, student, 56);
AT(retort_setup, teacher, 64);

SIZE(retort_network_step, 48);
AT(retort_network_step, struct_size, 0);
AT(retort_network_step, reserved, 4);
AT(retort_network_step, logits, 8);
AT(retort_network_step, features, 32);
AT(retort_network_step, feature_count, 40);

SIZE(retort_step, 112);
AT(retort_step, struct_size, 0);
AT(retort_step, reserved, 4);
AT(retort_step, student, 8);
AT(retort_step, teacher, 16);
AT(retort_step, labels, 24);
AT(retort_step, indices, 48);
AT(retort_step, progress, 72);
AT(retort_step, epoch, 96);
AT(retort_step, step, 104);

SIZE(retort_model_build, 40);
AT(retort_model_build, struct_size, 0);
AT(retort_model_build, reserved, 4);
AT(retort_model_build, class_count, 8);
AT(retort_model_build, channels, 16);
AT(retort_model_build, height, 24);
AT(retort_model_build, width, 32);

SIZE(retort_dataset_info, 80);
AT(retort_dataset_info, struct_size, 0);
AT(retort_dataset_info, reserved, 4);
AT(retort_dataset_info, train_count, 8);
AT(retort_dataset_info, test_count, 16);
AT(retort_dataset_info, channels, 24);
AT(retort_dataset_info, height, 32);
AT(retort_dataset_info, width, 40);
AT(retort_dataset_info, class_count, 48);
AT(retort_dataset_info, mean, 56);
AT(retort_dataset_info, stddev, 64);
AT(retort_dataset_info, class_names, 72);

SIZE(retort_strategy_interface, 32);
AT(retort_strategy_interface, struct_size, 0);
AT(retort_strategy_interface, reserved, 4);
AT(retort_strategy_interface, setup, 8);
AT(retort_strategy_interface, loss, 16);
AT(retort_strategy_interface, after_backward, 24);

SIZE(retort_model_interface, 24);
AT(retort_model_interface, struct_size, 0);
AT(retort_model_interface, reserved, 4);
AT(retort_model_interface, build, 8);
AT(retort_model_interface, forward, 16);

SIZE(retort_dataset_interface, 24);
AT(retort_dataset_interface, struct_size, 0);
AT(retort_dataset_interface, reserved, 4);
AT(retort_dataset_interface, open, 8);
AT(retort_dataset_interface, read, 16);

SIZE(retort_component, 48);
AT(retort_component, struct_size, 0);
AT(retort_component, kind, 4);
AT(retort_component, id, 8);
AT(retort_component, create, 16);
AT(retort_component, destroy, 24);
AT(retort_component, set_option, 32);
AT(retort_component, find_interface, 40);

SIZE(retort_plugin, 40);
AT(retort_plugin, struct_size, 0);
AT(retort_plugin, abi_major, 4);
AT(retort_plugin, abi_minor, 8);
AT(retort_plugin, component_count, 12);
AT(retort_plugin, component_stride, 16);
AT(retort_plugin, reserved, 20);
AT(retort_plugin, components, 24);
AT(retort_plugin, attach, 32);

SIZE(retort_option_record, 488);
AT(retort_option_record, name, 0);
AT(retort_option_record, type, 40);
AT(retort_option_record, flags, 44);
AT(retort_option_record, default_real, 48);
AT(retort_option_record, default_int, 56);
AT(retort_option_record, min, 64);
AT(retort_option_record, max, 72);
AT(retort_option_record, default_text, 80);
AT(retort_option_record, choices, 144);
AT(retort_option_record, unit, 304);
AT(retort_option_record, help, 328);

SIZE(retort_component_record, 632);
AT(retort_component_record, kind, 0);
AT(retort_component_record, needs, 4);
AT(retort_component_record, first_option, 8);
AT(retort_component_record, option_count, 12);
AT(retort_component_record, first_use, 16);
AT(retort_component_record, use_count, 20);
AT(retort_component_record, batch_min, 24);
AT(retort_component_record, batch_multiple_of, 32);
AT(retort_component_record, id, 40);
AT(retort_component_record, version, 96);
AT(retort_component_record, summary, 120);
AT(retort_component_record, licence, 280);
AT(retort_component_record, bind_student, 312);
AT(retort_component_record, bind_teacher, 376);
AT(retort_component_record, paper, 440);
AT(retort_component_record, verified, 536);

SIZE(retort_use_record, 104);
AT(retort_use_record, name, 0);
AT(retort_use_record, overload, 72);

SIZE(retort_manifest_header, 48);
AT(retort_manifest_header, magic, 0);
AT(retort_manifest_header, struct_size, 8);
AT(retort_manifest_header, abi_major, 12);
AT(retort_manifest_header, abi_minor, 16);
AT(retort_manifest_header, component_count, 20);
AT(retort_manifest_header, component_stride, 24);
AT(retort_manifest_header, option_count, 28);
AT(retort_manifest_header, option_stride, 32);
AT(retort_manifest_header, use_count, 36);
AT(retort_manifest_header, use_stride, 40);
AT(retort_manifest_header, total_size, 44);
