#include "framework/run/failures.hpp"

namespace retort::host {

void Failures::keep(const Error& failure, const Place& place, const std::string& subject) {
  if (const auto* several = dynamic_cast<const MistakesError*>(&failure)) {
    for (const Mistake& mistake : several->mistakes()) {
      mistakes_.add(mistake.place, mistake.subject, mistake.what, mistake.source);
    }
  } else if (failure.code() == ExitCode::Config ||
             dynamic_cast<const ShapeError*>(&failure) != nullptr) {
    mistakes_.add(place, subject, failure.what());
  } else if (failure.code() == ExitCode::Data || failure.code() == ExitCode::RunFailed) {
    others_.push_back(
        {{place, subject, failure.what(), ""}, failure.code(), std::current_exception()});
  } else {
    throw;
  }
}

void Failures::throw_if_any() const {
  if (mistakes_.empty() && others_.size() == 1) std::rethrow_exception(others_[0].failure);
  if (mistakes_.empty() && others_.size() > 1) {
    std::string text;
    for (const Other& other : others_) text += (text.empty() ? "" : "\n") + other.mistake.what;
    throw Error(text, others_[0].code);
  }
  Diagnostics all = mistakes_;
  for (const Other& other : others_) {
    all.add(other.mistake.place, other.mistake.subject, other.mistake.what);
  }
  all.throw_if_any();
}

}  // namespace retort::host
