# Finds LibTorch without its own TorchConfig.cmake, which demands an installed CUDA toolkit as soon
# as the wheel is a CUDA build. Only torch_cpu and c10 are linked; libtorch_cuda.so is opened at run
# time where it lies beside them, so one build serves machines with and without a GPU.
#
# Looks in Torch_DIR and CMAKE_PREFIX_PATH (variables, then environment), then in build/libtorch.
# Each may be .../site-packages/torch, site-packages, a virtual environment, an unpacked libtorch
# folder, or its share/cmake/Torch.
#
#   retort::torch    headers, torch_cpu, c10 and the run paths that a program needs
#   Torch_ROOT       the folder that holds include/ and lib/
#   Torch_VERSION    from version.h; older than 2.11 is refused
#   Torch_HAS_CUDA   whether libtorch_cuda.so lies beside libtorch_cpu.so
# Code sees the same as RETORT_TORCH_VERSION ("2.13.0") and RETORT_TORCH_HAS_CUDA (0 or 1).
# Every LibTorch from 2.11 on has the C++11 ABI of libstdc++, so _GLIBCXX_USE_CXX11_ABI needs no care.

set(_torch_oldest 2.11)

# _torch_root(OUT PLACES...): the first folder below one of the places that holds a LibTorch.
function(_torch_root out)
  foreach(place IN LISTS ARGN)
    file(GLOB installed LIST_DIRECTORIES true ${place}/lib/python3*/site-packages/torch)
    string(REGEX REPLACE "/share/cmake/Torch/?$" "" root_of_config "${place}")
    foreach(root IN ITEMS ${root_of_config} ${place}/torch LISTS installed)
      if(EXISTS ${root}/lib/libtorch_cpu.so AND EXISTS ${root}/include/ATen)
        file(REAL_PATH ${root} root)
        set(${out} ${root} PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
  set(${out} "" PARENT_SCOPE)
endfunction()

# _torch_version(OUT ROOT): "2.13.0" from the header; LibTorch moved it to headeronly in 2.8.
function(_torch_version out root)
  set(version "")
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${root}/include/${header})
      file(STRINGS ${root}/include/${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      list(JOIN numbers . version)
      if(version)
        break()
      endif()
    endif()
  endforeach()
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

set(_torch_places ${Torch_DIR} $ENV{Torch_DIR} ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH})
string(REPLACE ":" ";" _torch_places "${_torch_places}")
list(APPEND _torch_places ${PROJECT_SOURCE_DIR}/build/libtorch)
_torch_root(Torch_ROOT ${_torch_places})
if(NOT Torch_ROOT)
  list(JOIN _torch_places ", " _torch_looked)
  message(FATAL_ERROR "LibTorch is in none of: ${_torch_looked}.\n"
    "Run experiments/quickstart.sh, which fetches it, or name one: "
    "cmake -DCMAKE_PREFIX_PATH=.../site-packages/torch")
endif()
set(RETORT_TORCH_ROOT ${Torch_ROOT} CACHE INTERNAL "where LibTorch lies")
_torch_version(Torch_VERSION ${Torch_ROOT})
if(Torch_VERSION VERSION_LESS _torch_oldest)
  message(FATAL_ERROR "${Torch_ROOT} holds LibTorch \"${Torch_VERSION}\"; Retort needs "
    "${_torch_oldest} or newer (2.13.0 is the tested one): pip install torch==2.13.0")
endif()

set(Torch_HAS_CUDA OFF)
if(EXISTS ${Torch_ROOT}/lib/libtorch_cuda.so)
  set(Torch_HAS_CUDA ON)
endif()

if(NOT TARGET retort::torch)
  add_library(retort::c10 SHARED IMPORTED)
  set_target_properties(retort::c10 PROPERTIES IMPORTED_LOCATION ${Torch_ROOT}/lib/libc10.so)
  add_library(retort::torch SHARED IMPORTED)
  set_target_properties(retort::torch PROPERTIES
    IMPORTED_LOCATION ${Torch_ROOT}/lib/libtorch_cpu.so
    INTERFACE_INCLUDE_DIRECTORIES ${Torch_ROOT}/include
    INTERFACE_LINK_LIBRARIES retort::c10
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_COMPILE_DEFINITIONS
    "RETORT_TORCH_VERSION=\"${Torch_VERSION}\";RETORT_TORCH_HAS_CUDA=$<BOOL:${Torch_HAS_CUDA}>")

  # libtorch_cpu.so of a CUDA wheel needs libraries of the nvidia packages beside it. At run time its
  # own RPATH finds them; a linker that does not follow that RPATH is told here.
  file(GLOB _torch_nvidia LIST_DIRECTORIES true ${Torch_ROOT}/../nvidia/*/lib)
  list(TRANSFORM _torch_nvidia PREPEND "LINKER:-rpath-link,")
  set_property(TARGET retort::torch PROPERTY INTERFACE_LINK_OPTIONS ${_torch_nvidia})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Torch REQUIRED_VARS Torch_ROOT VERSION_VAR Torch_VERSION)
