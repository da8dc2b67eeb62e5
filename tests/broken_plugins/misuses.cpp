// A strategy and a model that misuse the host's functions, each in the way that its option `how`
// names. Without one they are right.
#include <retort/model.hpp>
#include <retort/strategy.hpp>
#include <thread>
using namespace retort;

namespace {

/// relu of a value that is said to be given up, through the table itself, as a plugin in C may do.
Tensor relu_of_given_up(retort_value value) {
  retort_op op = nullptr;
  detail::Failure failure;
  detail::check(detail::host().find_op("aten::relu", "", &op, &failure));
  value.flags = RETORT_VALUE_LAST_USE;
  retort_value result{};
  int64_t count = 0;
  detail::check(detail::host().call(op, &value, 1, &result, 1, &count, &failure));
  return Tensor::adopt(result.as.tensor);
}

struct Silent : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

class Strategy1 final : public Strategy {
 public:
  struct Options {
    std::string_view how = "";
  } options;

  void setup(Setup& setup) override {
    bank_ = setup.buffer(is("slash") ? "a/b" : is("dots") ? ".." : "bank", {2}, init::ones());
    if (is("warns_of_nothing")) setup.warn(" ");
    for (int i = 0; i < 25 && is("warns_much"); ++i) setup.warn("warning " + std::to_string(i));
    if (is("negative_scale")) setup.parameter("w", {2}, init::ones(), Role::Weight, -1);
    if (is("bad_setup")) throw 42;
    if (is("no_code")) throw Error("my message", RETORT_OK);
  }

  Tensor loss(const Step& step) override {
    const Tensor loss = mse_loss(step.student.logits, step.teacher.logits);
    if (is("given_up")) {
      relu_of_given_up(step.teacher.logits.value());
      relu_of_given_up(step.labels.value());
      relu_of_given_up(bank_.value());
    }
    if (is("throws")) throw 42;
    if (is("no_message")) throw std::runtime_error("");
    if (is("null_message")) throw Silent();
    if (is("draws_twice")) step.uniform("mask", {2}), step.uniform("mask", {2});
    if (is("logs_nothing")) step.log("", 1.0);
    if (is("logs_too_much")) step.log("gap", 1e308);
    if (is("much_memory")) zeros({int64_t{1} << 46});
    if (is("own_words")) hide_the_reason();
    if (is("own_memory")) std::string().reserve(std::string().max_size());
    if (is("undeclared")) return loss + mean(logit(sinc(loss))) * 0.0;
    if (is("thread")) call_from_a_thread(step.teacher.logits);
    return loss;
  }

  void after_backward(const Step& step) override {
    static const Operator copy("aten::copy_");
    copy(bank_, bank_ * 0.5);
    if (is("spoils_logits")) copy(step.teacher.logits, zeros_like(step.teacher.logits));
    if (is("spoils_view")) copy(select(step.student.logits, 0, 0), zeros({10}));
    if (is("spoils_labels")) copy(step.labels, zeros_like(step.labels));
  }

 private:
  bool is(std::string_view how) const { return options.how == how; }
  static Tensor sinc(const Tensor& x) {
    static const Operator op("aten::sinc");
    return op(x);
  }
  static Tensor logit(const Tensor& x) {
    static const Operator op("aten::logit");
    return op(x, 1e-6);
  }
  static void hide_the_reason() {
    try {
      zeros({int64_t{1} << 46});
    } catch (const Error&) {
      throw Error("something went wrong");
    }
  }
  static void call_from_a_thread(const Tensor& x) {
    std::string text;
    std::thread([&] {
      try {
        relu(x);
      } catch (const Error& failure) {
        text = failure.what();
      }
    }).join();
    throw Error(text);
  }

  Tensor bank_;
};

class Model1 final : public Model {
 public:
  struct Options {
    std::string_view how = "";
  } options;

  void build(const ModelBuild& build) override {
    head_ = nn::Linear(build.in("head"), build.channels * build.height * build.width,
                       build.class_count);
  }
  Tensor forward(const Tensor& x, const Taps& taps) override {
    const Tensor flat = taps("layer1", flatten(x, 1));
    if (options.how == "twice") taps("layer1", flat);
    if (options.how == "reserved") taps("logits", flat);
    if (options.how == "empty") taps("", flat);
    if (options.how == "transposed") taps("layer2", t(flat));
    if (options.how == "whole") taps("layer2", to(flat, Dtype::Int64));
    if (options.how == "truth") taps("layer2", flat > 0.0);
    if (options.how == "complex") {
      static const Operator complex("aten::complex");
      taps("layer2", complex(flat, flat));
    }
    if (options.how == "narrow") return slice(head_(flat), 1, 0, 3);
    if (options.how == "dropout") {
      static const Operator dropout("aten::dropout");
      return head_(dropout(flat, 0.5, true));
    }
    return head_(flat);
  }

 private:
  nn::Linear head_;
};

}  // namespace

RETORT_PLUGIN(strategy<Strategy1>("test.misuses", "0.1.0", "Misuses the host",
                                  needs(Logits, Labels), uses("aten::copy_"),
                                  option("how", &Strategy1::Options::how)),
              model<Model1>("misuses", "0.1.0", "Misuses the host", uses("aten::dropout"),
                            uses("aten::complex"), option("how", &Model1::Options::how)))
