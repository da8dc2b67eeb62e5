// Every place where state can hide in a header or a plugin. Built against several SDKs.
#include <retort/state.hpp>
#include <retort/strategy.hpp>

using namespace retort;

namespace state {

inline int instances = 0;

class HoldsState : public Strategy {
 public:
  struct Options {
  } options;

  HoldsState() { ++instances; }

  /// The SDK's variable, its function's static, the plugin's variable, its class's static: [4].
  Tensor loss(const Step&) override {
    static int steps = 0;
    const int64_t numbers[] = {sdk_number, next_call(), instances, ++steps};
    double code = 0;
    for (const int64_t number : numbers) code = 10 * code + static_cast<double>(number);
    return Tensor::from(&code, {});
  }
};

}  // namespace state

RETORT_STRATEGY(state::HoldsState, "test.state", "1.0.0", "Counts its calls")
