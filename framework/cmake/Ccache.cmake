# Compiles through ccache where it is installed. A precompiled header is cached only when ccache may
# ignore its time stamp and the macros inside it (ccache's manual, "Precompiled headers").
find_program(RETORT_CCACHE ccache)
if(RETORT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  foreach(language C CXX)
    set(CMAKE_${language}_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${RETORT_CCACHE})
  endforeach()
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
