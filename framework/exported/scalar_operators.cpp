#include "framework/exported/scalar_operators.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string_view>

#include "framework/base/error.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

using c10::IValue;
using Values = std::vector<IValue>;

double real(const IValue& value) {
  if (value.isDouble()) return value.toDouble();
  if (value.isBool()) return value.toBool() ? 1 : 0;
  if (value.isInt()) return static_cast<double>(value.toInt());
  throw DataError("arithmetic on sizes is given something that is no number");
}

int64_t whole(const IValue& value) {
  if (value.isBool()) return value.toBool() ? 1 : 0;
  if (value.isInt()) return value.toInt();
  throw DataError("arithmetic on sizes is given something that is no whole number");
}

int64_t to_whole(double number) {
  if (!(std::abs(number) < 0x1.0p62))
    throw DataError("arithmetic on sizes leaves the whole numbers");
  return static_cast<int64_t>(number);
}

bool are_whole(const Values& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const IValue& value) { return value.isInt() || value.isBool(); });
}

/// Whole numbers wrap as they do in hardware: a size that large is refused where it is used.
int64_t wrap(uint64_t number) { return static_cast<int64_t>(number); }

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) throw DataError("arithmetic on sizes divides by zero");
  if (b == -1) return wrap(0 - static_cast<uint64_t>(a));
  const int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

int64_t modulo(int64_t a, int64_t b) {
  if (b == 0) throw DataError("arithmetic on sizes divides by zero");
  if (b == -1) return 0;
  return (a % b + b) % b;
}

using WholeFunction = std::function<int64_t(int64_t, int64_t)>;
using RealFunction = std::function<double(double, double)>;
using Comparison = std::function<bool(double, double)>;

IValue apply(const Values& values, const WholeFunction& on_whole, const RealFunction& on_real) {
  if (values.size() != 2) throw DataError("arithmetic on sizes takes two numbers");
  if (on_whole != nullptr && are_whole(values)) return on_whole(whole(values[0]), whole(values[1]));
  return on_real(real(values[0]), real(values[1]));
}

IValue compare(const Values& values, const Comparison& holds) {
  if (values.size() != 2) throw DataError("a comparison of sizes takes two numbers");
  return holds(real(values[0]), real(values[1]));
}

const IValue& single(const Values& values) {
  if (values.size() != 1) throw DataError("a function of sizes takes one number");
  return values[0];
}

using Function = std::function<IValue(const Values&)>;

std::map<std::string, Function> make_arithmetic() {
  const auto make = [](WholeFunction on_whole, RealFunction on_real) {
    return [=](const Values& values) { return apply(values, on_whole, on_real); };
  };
  return {
      {"add", make([](int64_t a, int64_t b) { return wrap(uint64_t(a) + uint64_t(b)); },
                   std::plus<double>())},
      {"sub", make([](int64_t a, int64_t b) { return wrap(uint64_t(a) - uint64_t(b)); },
                   std::minus<double>())},
      {"mul", make([](int64_t a, int64_t b) { return wrap(uint64_t(a) * uint64_t(b)); },
                   std::multiplies<double>())},
      {"floordiv", make(floor_divide, [](double a, double b) { return std::floor(a / b); })},
      {"mod", make(modulo, [](double a, double b) { return a - b * std::floor(a / b); })},
      {"truediv",
       [](const Values& v) { return apply(v, nullptr, [](double a, double b) { return a / b; }); }},
      {"sym_max", make([](int64_t a, int64_t b) { return std::max(a, b); },
                       [](double a, double b) { return std::max(a, b); })},
      {"sym_min", make([](int64_t a, int64_t b) { return std::min(a, b); },
                       [](double a, double b) { return std::min(a, b); })},
      {"neg",
       [](const Values& v) -> IValue {
         if (are_whole(v)) return wrap(0 - static_cast<uint64_t>(whole(single(v))));
         return -real(single(v));
       }},
      {"sym_float", [](const Values& v) { return real(single(v)); }},
      {"sym_int", [](const Values& v) { return to_whole(real(single(v))); }},
      {"trunc", [](const Values& v) { return to_whole(std::trunc(real(single(v)))); }},
      {"floor", [](const Values& v) { return to_whole(std::floor(real(single(v)))); }},
      {"ceil", [](const Values& v) { return to_whole(std::ceil(real(single(v)))); }},
      {"sqrt", [](const Values& v) { return std::sqrt(real(single(v))); }},
  };
}

std::map<std::string, Function> make_comparisons() {
  const auto make = [](Comparison holds) {
    return [=](const Values& values) { return compare(values, holds); };
  };
  return {
      {"eq", make(std::equal_to<double>())},
      {"ne", make(std::not_equal_to<double>())},
      {"lt", make(std::less<double>())},
      {"le", make(std::less_equal<double>())},
      {"gt", make(std::greater<double>())},
      {"ge", make(std::greater_equal<double>())},
      {"and_", make([](double a, double b) { return a != 0 && b != 0; })},
      {"or_", make([](double a, double b) { return a != 0 || b != 0; })},
      {"sym_not", [](const Values& v) { return real(single(v)) == 0; }},
  };
}

const Function* find_function(const std::string& target) {
  static const auto functions = [] {
    auto all = make_arithmetic();
    all.merge(make_comparisons());
    return all;
  }();
  const bool is_known_module = target.starts_with("_operator.") || target.starts_with("math.") ||
                               target.starts_with("torch.sym_");
  std::string name = target.substr(target.rfind('.') + 1);
  if (name == "sym_sqrt") name = "sqrt";
  const auto found = functions.find(name);
  return is_known_module && found != functions.end() ? &found->second : nullptr;
}

}  // namespace

bool is_scalar_operator(const std::string& target) { return find_function(target) != nullptr; }

IValue run_scalar_operator(const std::string& target, const std::vector<IValue>& arguments) {
  const Function* function = find_function(target);
  if (function == nullptr) throw DataError("there is no function " + safe_line(target));
  return (*function)(arguments);
}

}  // namespace retort::host::exported
