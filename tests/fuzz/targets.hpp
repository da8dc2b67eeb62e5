#pragma once

#include <cstdint>
#include <span>

// What is fuzzed: every reader of a file that came from elsewhere. Each takes the bytes of an input
// and is true where the reader accepts them, false where it refuses them with the error of its
// kind. Whatever else it does is a bug, and ends the program.

namespace retort::fuzz {

using Bytes = std::span<const uint8_t>;

/// An experiment file, against a catalog of a few components.
bool toml(Bytes input);

/// A file of torch.export: its archive, its program and its table of weights; reads every byte of these.
bool pt2(Bytes input);

/// A safetensors file; reads every byte of every tensor.
bool safetensors(Bytes input);

/// The first byte picks one of the four files of an IDX data set, the others are the new content of
/// that file. Reads every sample.
bool idx(Bytes input);

/// The first byte picks what of a valid CIFAR-10 the others change: 0 the content of its first file,
/// 1 of the class names; 2 writes behind a little-endian 32-bit offset into the test images.
bool cifar(Bytes input);

/// The first byte picks what the others are: 'm' metrics.jsonl, any other run.json, which is made
/// into the tables of a page too.
bool run_record(Bytes input);

/// A plugin file. No code of it runs.
bool manifest(Bytes input);

}  // namespace retort::fuzz
