# SPDX-License-Identifier: Apache-2.0
find_program(ANODIFF_CCACHE ccache DOC "Compiler cache; empty for none")
mark_as_advanced(ANODIFF_CCACHE)
if(ANODIFF_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without these allowances ccache does not cache a file that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "${ANODIFF_CCACHE}")
endif()
