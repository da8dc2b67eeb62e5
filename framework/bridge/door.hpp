#pragma once

#include "retort/abi.h"

namespace retort::host {

/// The one table that every plugin gets: sdk/include/retort/abi.h says what each entry does. Its
/// functions never throw; each works within the scope that the host entered the plugin with
/// (scope.hpp).
const retort_host& host_table();

}  // namespace retort::host
