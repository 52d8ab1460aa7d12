# SPDX-License-Identifier: Apache-2.0
# Flags of our own tests, examples, benchmarks and presets; users of the library never get them.
add_library(anodiff_warnings INTERFACE)
target_compile_options(anodiff_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                  $<$<BOOL:${ANODIFF_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Its own header for AVX-512, which Eigen includes, raises both (GCC bug 105593).
  target_compile_options(anodiff_warnings INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
add_library(anodiff_native INTERFACE)
if(ANODIFF_NATIVE)
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-march=native ANODIFF_HAS_MARCH_NATIVE)
  target_compile_options(anodiff_native INTERFACE $<$<BOOL:${ANODIFF_HAS_MARCH_NATIVE}>:-march=native>)
endif()

# Links the library, all components found and our flags; with PRESETS also the compiled presets, where they exist.
function(anodiff_own_target target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PRESETS" "" "")
  target_link_libraries(${target} PRIVATE anodiff_all anodiff_warnings anodiff_native)
  if(arg_PRESETS AND TARGET anodiff_presets)
    target_link_libraries(${target} PRIVATE anodiff::presets)
  endif()
endfunction()
