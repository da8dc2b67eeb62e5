#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/data/source.hpp"

namespace retort::test {

/// A source that has the samples of another and lends none, as one whose samples lie on a disk.
class NotInMemory final : public host::Source {
 public:
  explicit NotInMemory(std::shared_ptr<const host::Source> other) : other_(std::move(other)) {}

  const host::SourceFacts& facts() const override { return other_->facts(); }
  int64_t size(host::Split split) const override { return other_->size(split); }
  const at::Tensor& labels(host::Split split) const override { return other_->labels(split); }
  void fetch(host::Split split, std::span<const int64_t> samples, uint8_t* into) const override {
    if (fail) throw host::DataError("no such sample");
    ++fetches;
    other_->fetch(split, samples, into);
  }
  const uint8_t* lend(host::Split, int64_t) const override { return nullptr; }
  std::string fingerprint() const override { return other_->fingerprint(); }

  std::atomic<bool> fail = false;
  mutable std::atomic<int> fetches = 0;

 private:
  std::shared_ptr<const host::Source> other_;
};

}  // namespace retort::test
