#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/train/loop.hpp"

namespace retort::host {

/// CRC-32C (Castagnoli) as RFC 3720 appendix B.4 has it.
uint32_t crc32c(std::string_view bytes);

/// A record of a TFRecord file: length, data, and a masked CRC-32C of each.
std::string tf_record(std::string_view data);

/// A TensorBoard event, tensorflow/core/util/event.proto, in protobuf's binary form: scalars of one
/// step, or with none of them the version that a file begins with.
std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars);

/// The scalars of a run for TensorBoard: FOLDER/events.out.tfevents.SECONDS.PID.retort, one record
/// an epoch. The steps are epochs; the tags are PHASE/top1, PHASE/lr, PHASE/losses/TERM and
/// PHASE/metrics/NAME. Where several networks learn, PHASE/top1/NETWORK stands for PHASE/top1. A
/// resumed run has a second file, which TensorBoard reads as one with it.
class EventFile {
 public:
  /// Throws: EnvironmentError where the file cannot be written.
  explicit EventFile(const std::filesystem::path& folder);

  void add(const std::string& phase, const EpochReport& report);

 private:
  void append(const std::string& event) const;

  std::filesystem::path path_;
};

}  // namespace retort::host
