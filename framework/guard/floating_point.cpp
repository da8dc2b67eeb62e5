#include "framework/guard/floating_point.hpp"

namespace retort::host {
namespace {

struct Field {
  uint64_t bits;
  const char* name;
};

#if defined(__aarch64__)
constexpr Field kVectorFields[] = {
    {0x1000000, "flush to zero"}, {0xc00000, "rounding"}, {0x9f00, "traps"}};
#elif defined(__SSE2__)
constexpr Field kVectorFields[] = {{0x8000, "flush to zero"},
                                   {0x40, "denormals as zero"},
                                   {0x6000, "rounding"},
                                   {0x1f80, "traps"}};
#else
constexpr Field kVectorFields[] = {{~uint64_t{0}, "rounding"}};
#endif
constexpr Field kX87Fields[] = {
    {0x300, "x87 precision"}, {0xc00, "x87 rounding"}, {0x3f, "x87 traps"}};

}  // namespace

void set_floating_point(const FloatingPoint& state) {
#if defined(__SSE2__)
  _mm_setcsr(static_cast<uint32_t>(state.vector));  // with no flag raised
  asm volatile("fldcw %0" : : "m"(state.x87));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(state.vector));
#else
  std::fesetround(static_cast<int>(state.vector));
#endif
}

std::string difference_between(const FloatingPoint& before, const FloatingPoint& after) {
  std::string text;
  const auto add = [&text](const char* name) {
    text += (text.empty() ? "" : ", ") + std::string(name);
  };
  for (const Field& field : kVectorFields)
    if (((before.vector ^ after.vector) & field.bits) != 0) add(field.name);
  for (const Field& field : kX87Fields)
    if (((before.x87 ^ after.x87) & field.bits) != 0) add(field.name);
  if (text.empty() && before != after) add("another control bit");
  return text;
}

}  // namespace retort::host
