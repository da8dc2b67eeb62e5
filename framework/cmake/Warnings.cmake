# GCC 12 sees overflows in std::string concatenation that are not there (its bugs 105329, 105651).
# retort_warnings(target): the warnings every target of ours is built with.
function(retort_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-restrict;-Wno-array-bounds>
    $<$<BOOL:${RETORT_WERROR}>:-Werror>)
endfunction()
