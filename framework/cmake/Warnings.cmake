# retort_warnings(target): the warnings every target of ours is built with.
function(retort_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
    $<$<BOOL:${RETORT_WERROR}>:-Werror>)
endfunction()
