#include "framework/report/tensorboard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "framework/base/error.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/safe_text.hpp"
#include "framework/report/run_layout.hpp"

namespace retort::host {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, bits reversed
constexpr uint32_t kMaskDelta = 0xA282EAD8;   // of TFRecord

// Protobuf's wire types.
constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

template <class Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
  return bytes;
}

std::string varint(uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>((number & 0x7F) | 0x80);
  return bytes + static_cast<char>(number);
}

std::string key(uint64_t field, uint64_t wire_type) { return varint(field << 3 | wire_type); }

std::string bytes_field(uint64_t field, const std::string& bytes) {
  return key(field, kBytes) + varint(bytes.size()) + bytes;
}

std::string masked_crc(std::string_view bytes) {
  return little_endian(std::rotr(crc32c(bytes), 15) + kMaskDelta);
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < entries.size(); ++i) {
      entries[i] = i;
      for (int bit = 0; bit < 8; ++bit) {
        entries[i] = (entries[i] >> 1) ^ ((entries[i] & 1) != 0 ? kPolynomial : 0);
      }
    }
    return entries;
  }();
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~crc;
}

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars) {
  std::string event = key(1, kFixed64) + little_endian(std::bit_cast<uint64_t>(wall_time));
  if (scalars.empty()) return event + bytes_field(3, "brain.Event:2");
  event += key(2, kVarint) + varint(static_cast<uint64_t>(step));
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
    summary +=
        bytes_field(1, bytes_field(1, safe_line(tag)) + key(2, kFixed32) + little_endian(bits));
  }
  return event + bytes_field(5, summary);
}

EventFile::EventFile(const std::filesystem::path& folder)
    : path_(RunLayout(folder).event_file(static_cast<int64_t>(wall_time()), getpid())) {
  append(scalar_event(wall_time(), 0, {}));
}

void EventFile::add(const std::string& phase, const EpochReport& report) {
  std::vector<std::pair<std::string, double>> scalars;
  for (const LearnerReport& learner : report.learners) {
    const std::string of_network = report.learners.size() > 1 ? "/" + learner.name : "";
    scalars.emplace_back(phase + "/top1" + of_network, learner.accuracy.top1());
  }
  scalars.emplace_back(phase + "/lr", report.lr);
  for (const auto& [name, value] : report.losses) {
    scalars.emplace_back(phase + "/losses/" + name, value);
  }
  for (const auto& [name, value] : report.metrics) {
    scalars.emplace_back(phase + "/metrics/" + name, value);
  }
  append(scalar_event(wall_time(), report.epoch, scalars));
}

/// One write of one record: a reader sees whole records only.
void EventFile::append(const std::string& event) const {
  const std::string record = tf_record(event);
  std::FILE* out = fdopen(open_to_write(path_, O_WRONLY | O_CREAT | O_APPEND), "ab");
  const bool written =
      out != nullptr && std::fwrite(record.data(), 1, record.size(), out) == record.size();
  const bool closed = out != nullptr && std::fclose(out) == 0;
  if (!written || !closed) {
    throw EnvironmentError(path_.string() + ": cannot be written: " + std::strerror(errno) +
                           "; make room, or set run.tensorboard = false");
  }
}

}  // namespace retort::host
