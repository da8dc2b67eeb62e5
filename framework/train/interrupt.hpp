#pragma once

namespace retort::host {

/// The first SIGINT or SIGTERM asks the run to finish its step, save and end; the second ends the
/// process at once.
void install_signal_handlers();

/// The signal that arrived, or 0.
int pending_signal();

}  // namespace retort::host
