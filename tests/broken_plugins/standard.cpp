#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Not broken: instances of the standard library's templates are exported from any C++ file, and
/// make_shared's tag is STB_GNU_UNIQUE.
__attribute__((used)) static int64_t use(std::vector<int64_t>& numbers, const char* text) {
  numbers.push_back(3);
  const auto shared = std::make_shared<std::string>(text, text + numbers.size());
  return static_cast<int64_t>(shared->size());
}
