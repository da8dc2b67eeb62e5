# The libraries the framework is built on, as the one target retort::third_party.
find_package(Torch REQUIRED)
find_package(Boost 1.81 REQUIRED)  # Boost.DLL, headers only: 1.81 is the first with std::filesystem
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_path(RETORT_SODIUM_INCLUDE sodium.h REQUIRED)
find_library(RETORT_SODIUM sodium REQUIRED)
find_path(RETORT_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(RETORT_XXHASH xxhash REQUIRED)

# LibTorch ships headers of another fmt than the one that libspdlog was built with. A folder that
# holds nothing but a link to the right fmt goes first on the include path.
get_target_property(_retort_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/fmt_first)
file(CREATE_LINK ${_retort_fmt_include}/fmt ${CMAKE_BINARY_DIR}/fmt_first/fmt SYMBOLIC)

add_library(retort_third_party INTERFACE)
add_library(retort::third_party ALIAS retort_third_party)
target_include_directories(retort_third_party SYSTEM INTERFACE
  ${CMAKE_BINARY_DIR}/fmt_first ${RETORT_SODIUM_INCLUDE} ${RETORT_XXHASH_INCLUDE})
target_link_libraries(retort_third_party INTERFACE
  retort::torch Boost::headers spdlog::spdlog tomlplusplus::tomlplusplus CLI11::CLI11
  nlohmann_json::nlohmann_json ZLIB::ZLIB ${RETORT_SODIUM} ${RETORT_XXHASH} ${CMAKE_DL_LIBS})
target_compile_definitions(retort_third_party INTERFACE BOOST_DLL_USE_STD_FS)
