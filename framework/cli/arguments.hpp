#pragma once

#include "framework/base/error.hpp"

namespace retort::host {

/// Reads the command line and runs the command it names. A mistake in it is told, with exit code 2.
/// Throws: what the command throws.
ExitCode run_arguments(int argc, char** argv);

}  // namespace retort::host
