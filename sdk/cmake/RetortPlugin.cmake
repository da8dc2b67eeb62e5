# Builds Retort plugins, inside this repository or outside it:
#
#   include(.../sdk/cmake/RetortPlugin.cmake)
#   retort_add_plugin(kd)                                    # kd.cpp -> plugins/kd.retort
#   retort_add_plugin(kd FAMILY logits)                      # strategies/logits/kd.cpp
#   retort_add_plugin(resnet SOURCE models/resnet.cpp)
#   retort_add_plugin(throws SOURCE throws.cpp OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/zoo)
#
# The target has the plugin's name and links retort::sdk alone. The target retort_plugins builds
# every plugin that has no OUTPUT of its own.
include_guard(GLOBAL)
get_filename_component(RETORT_SDK_DIR ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

add_library(retort_sdk INTERFACE)
add_library(retort::sdk ALIAS retort_sdk)
target_include_directories(retort_sdk INTERFACE ${RETORT_SDK_DIR}/include)
target_compile_features(retort_sdk INTERFACE cxx_std_17)

add_custom_target(retort_plugins)

# The flags are read from the file that `g++ @sdk/plugin.flags` uses: they are stated once.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${RETORT_SDK_DIR}/plugin.flags)
file(READ ${RETORT_SDK_DIR}/plugin.flags _retort_flags)
separate_arguments(_retort_flags UNIX_COMMAND "${_retort_flags}")
set(_retort_link_flags ${_retort_flags})
list(FILTER _retort_link_flags INCLUDE REGEX "^(-shared|-Wl,.*)$")
list(REMOVE_ITEM _retort_flags ${_retort_link_flags})
list(REMOVE_ITEM _retort_link_flags -shared)  # CMake's own for a MODULE
set(RETORT_PLUGIN_COMPILE_FLAGS ${_retort_flags} CACHE INTERNAL "from sdk/plugin.flags")
set(RETORT_PLUGIN_LINK_FLAGS ${_retort_link_flags} CACHE INTERNAL "from sdk/plugin.flags")

function(retort_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FAMILY;SOURCE;OUTPUT" "")
  if(arg_UNPARSED_ARGUMENTS OR (arg_FAMILY AND arg_SOURCE))
    message(FATAL_ERROR "retort_add_plugin(${ARGV}): expected "
      "retort_add_plugin(NAME [FAMILY folder | SOURCE file] [OUTPUT folder])")
  endif()
  if(arg_FAMILY)
    set(arg_SOURCE strategies/${arg_FAMILY}/${name}.cpp)
  elseif(NOT arg_SOURCE)
    set(arg_SOURCE ${name}.cpp)
  endif()
  if(NOT arg_OUTPUT)
    set(arg_OUTPUT ${CMAKE_BINARY_DIR}/plugins)
    add_dependencies(retort_plugins ${name})
  endif()

  add_library(${name} MODULE ${arg_SOURCE})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .retort LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT} CXX_EXTENSIONS OFF)
  target_link_libraries(${name} PRIVATE retort::sdk)
  target_compile_options(${name} PRIVATE ${RETORT_PLUGIN_COMPILE_FLAGS})
  target_link_options(${name} PRIVATE ${RETORT_PLUGIN_LINK_FLAGS})
  if(COMMAND retort_warnings)
    retort_warnings(${name})
  endif()
endfunction()
