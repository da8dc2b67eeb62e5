#pragma once

#include "framework/config/diagnostics.hpp"
#include "framework/config/experiment.hpp"
#include "framework/data/image_data.hpp"

namespace retort::host {

/// Checks what of an experiment only its data set can tell: whether the normalisations have a value
/// a channel, and whether randaugment is defined for images of so many channels. Adds what is wrong,
/// each with its place in the file.
void check_images(const Experiment& experiment, const ImageData& data, Diagnostics& mistakes);

}  // namespace retort::host
