// Parameters and multiply-adds of the networks that the field compares, 100 classes, 3 x 32 x 32:
// those of the CRD authors' definitions, instantiated, as the host counts them in one forward pass.
#include <spdlog/fmt/fmt.h>

#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::counts_test {
namespace {

struct Row {
  const char* name;  // the field's
  const char* model;
  Options options;
  int64_t parameters;
  const char* millions;  // of multiply-adds
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

Options depth(int64_t layers) { return {{"depth", layers}}; }
Options wide(int64_t layers, double width) { return {{"depth", layers}, {"width", width}}; }

const Row kRows[] = {
    {"resnet8", "resnet", depth(8), 83892, "12.5"},
    {"resnet14", "resnet", depth(14), 181108, "26.7"},
    {"resnet20", "resnet", depth(20), 278324, "40.8"},
    {"resnet32", "resnet", depth(32), 472756, "69.1"},
    {"resnet44", "resnet", depth(44), 667188, "97.4"},
    {"resnet56", "resnet", depth(56), 861620, "125.8"},
    {"resnet110", "resnet", depth(110), 1736564, "253.2"},
    {"resnet8x4", "resnet", wide(8, 4), 1233540, "177.1"},
    {"resnet32x4", "resnet", wide(32, 4), 7433860, "1083"},
    {"wrn_16_1", "wrn", wide(16, 1), 180916, "26.7"},
    {"wrn_16_2", "wrn", wide(16, 2), 703284, "101.1"},
    {"wrn_40_1", "wrn", wide(40, 1), 569780, "83.3"},
    {"wrn_40_2", "wrn", wide(40, 2), 2255156, "327.6"},
    {"vgg8", "vgg", depth(8), 3965028, "96.2"},
    {"vgg11", "vgg", depth(11), 9277284, "209.4"},
    {"vgg13", "vgg", depth(13), 9462180, "284.9"},
    {"vgg16", "vgg", depth(16), 14774436, "398.2"},
    {"vgg19", "vgg", depth(19), 20086692, "511.4"},
    {"mobile_half", "mobilenet_v2", {}, 812836, "6.5"},
    {"ShuffleV1", "shufflenet_v1", {}, 949258, "38.7"},
    {"ShuffleV2", "shufflenet_v2", {}, 1355528, "44.5"},
    {"ResNet50",
     "resnet_imagenet",
     {{"depth", int64_t{50}}, {"stem", int64_t{1}}},
     23705252,
     "1298"},
};

class Counts : public testing::TestWithParam<Row> {};

TEST_P(Counts, AreThoseOfTheField) {
  const auto network = build_model(GetParam().model, GetParam().options, {3, 32, 32, 100});
  const host::NetworkProfile& profile = network->profile();
  EXPECT_EQ(profile.parameters, GetParam().parameters);
  const std::string wanted = GetParam().millions;
  const int digits = wanted.find('.') == std::string::npos ? 0 : 1;
  EXPECT_EQ(fmt::format("{:.{}f}", static_cast<double>(profile.multiply_adds) / 1e6, digits),
            wanted);
}

INSTANTIATE_TEST_SUITE_P(Models, Counts, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace retort::test::counts_test
