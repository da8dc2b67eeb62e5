#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "retort/error.hpp"

// What a strategy reads by index, checked: a tap that is not bound, a label that is not there.

RETORT_BEGIN_NAMESPACE

namespace detail {

[[noreturn]] RETORT_COLD inline void refuse_tap(size_t tap, size_t count) {
  if (count == 0) {
    throw ShapeError(message("features[", tap,
                             "] is read, and no tap is bound; declare binds(\"pooled\"), or "
                             "needs(Features) and let the experiment bind"));
  }
  throw ShapeError(message("features[", tap, "] is read, and the transfer binds ", count,
                           count == 1 ? " tap" : " taps",
                           ", counted from 0; bind more, or read no more than features.size()"));
}

[[noreturn]] RETORT_COLD inline void refuse_label(int64_t sample, int64_t count) {
  if (count < 0) {
    throw Error("setup.labels is read, and the strategy does not declare it; add needs(Labels)",
                RETORT_BAD_ARGUMENT);
  }
  throw ShapeError(message("setup.labels[", sample, "] is read; there are ", count));
}

}  // namespace detail

/// One entry for each tap that the transfer binds, in the order of the binding: a vector whose
/// entries are checked.
/// Throws:  ShapeError for an entry that does not exist, with the number of taps.
template <class T>
struct PerTap : std::vector<T> {
  using std::vector<T>::vector;

  T& operator[](size_t tap) { return this->data()[checked(tap)]; }
  const T& operator[](size_t tap) const { return this->data()[checked(tap)]; }
  T& at(size_t tap) { return (*this)[tap]; }
  const T& at(size_t tap) const { return (*this)[tap]; }
  const T& front() const { return (*this)[0]; }
  const T& back() const { return (*this)[this->empty() ? 0 : this->size() - 1]; }

 private:
  size_t checked(size_t tap) const {
    if (tap >= this->size()) detail::refuse_tap(tap, this->size());
    return tap;
  }
};

/// The labels of the whole training set: a pointer to them that is checked. Null where the strategy
/// does not declare needs(Labels), and where the data has none.
/// Throws:  Error where a null one is read; ShapeError for a sample that does not exist.
class TrainLabels {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = int64_t;
  using difference_type = std::ptrdiff_t;
  using pointer = const int64_t*;
  using reference = const int64_t&;

  TrainLabels() = default;
  TrainLabels(const int64_t* labels, int64_t count)
      : labels_(labels), count_(labels == nullptr ? -1 : count) {}

  reference operator[](int64_t sample) const {
    const int64_t position = at_ + sample;
    if (position < 0 || position >= count_) detail::refuse_label(position, count_);
    return labels_[position];
  }
  reference operator*() const { return (*this)[0]; }
  operator const int64_t*() const {
    if (labels_ == nullptr) detail::refuse_label(0, -1);
    return labels_ + at_;
  }
  explicit operator bool() const { return labels_ != nullptr; }
  friend bool operator==(const TrainLabels& a, std::nullptr_t) { return a.labels_ == nullptr; }
  friend bool operator!=(const TrainLabels& a, std::nullptr_t) { return a.labels_ != nullptr; }
  friend bool operator==(std::nullptr_t, const TrainLabels& a) { return a.labels_ == nullptr; }
  friend bool operator!=(std::nullptr_t, const TrainLabels& a) { return a.labels_ != nullptr; }

  // Steps as a pointer does.
  TrainLabels& operator+=(int64_t steps) {
    at_ += steps;
    return *this;
  }
  TrainLabels& operator-=(int64_t steps) { return *this += -steps; }
  TrainLabels& operator++() { return *this += 1; }
  TrainLabels& operator--() { return *this += -1; }
  TrainLabels operator++(int) { return (*this += 1) - 1; }
  TrainLabels operator--(int) { return (*this += -1) + 1; }
  friend TrainLabels operator+(TrainLabels a, int64_t steps) { return a += steps; }
  friend TrainLabels operator+(int64_t steps, TrainLabels a) { return a += steps; }
  friend TrainLabels operator-(TrainLabels a, int64_t steps) { return a -= steps; }
  friend difference_type operator-(const TrainLabels& a, const TrainLabels& b) {
    return a.at_ - b.at_;
  }
  friend bool operator==(const TrainLabels& a, const TrainLabels& b) { return a.at_ == b.at_; }
  friend bool operator!=(const TrainLabels& a, const TrainLabels& b) { return a.at_ != b.at_; }
  friend bool operator<(const TrainLabels& a, const TrainLabels& b) { return a.at_ < b.at_; }
  friend bool operator>(const TrainLabels& a, const TrainLabels& b) { return b < a; }
  friend bool operator<=(const TrainLabels& a, const TrainLabels& b) { return !(b < a); }
  friend bool operator>=(const TrainLabels& a, const TrainLabels& b) { return !(a < b); }

 private:
  const int64_t* labels_ = nullptr;
  int64_t count_ = -1;  // -1: there are none
  int64_t at_ = 0;
};

RETORT_END_NAMESPACE
