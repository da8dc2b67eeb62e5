#include "framework/report/run_order.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace retort::host {
namespace {

/// A part of a path, so that parts are ordered as tuples: a number without its leading zeros, whose
/// length then counts first, or a name.
auto order_key(const std::string& part) {
  const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
  const size_t zeros = number ? std::min(part.find_first_not_of('0'), part.size()) : 0;
  const std::string digits = part.substr(zeros);
  return std::make_tuple(!number, number ? digits.size() : 0, digits, part);
}

}  // namespace

bool precedes(const std::filesystem::path& a, const std::filesystem::path& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const auto& one, const auto& other) {
                                        return order_key(one.string()) < order_key(other.string());
                                      });
}

void sort_runs(std::vector<std::filesystem::path>& folders) {
  const auto parent = [](const std::filesystem::path& folder) {
    return (folder.has_filename() ? folder : folder.parent_path()).parent_path();
  };
  for (auto begin = folders.begin(); begin != folders.end();) {
    const auto end = std::find_if(begin, folders.end(), [&](const std::filesystem::path& folder) {
      return parent(folder) != parent(*begin);
    });
    std::stable_sort(begin, end, precedes);
    begin = end;
  }
}

}  // namespace retort::host
