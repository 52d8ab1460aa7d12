# SPDX-License-Identifier: Apache-2.0
# Sets ANODIFF_CUDA_ENABLED and enables the language. There is nothing to compile before the first .cu file.
set(ANODIFF_CUDA_ENABLED OFF)
file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS cmake/instances/*.cu tests/*.cu benchmarks/*.cu)
if((ANODIFF_CUDA STREQUAL "AUTO" AND cuda_sources) OR (NOT ANODIFF_CUDA STREQUAL "AUTO" AND ANODIFF_CUDA))
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real)
    endif()
    set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # cuBLAS and cuDNN bring the shared one: one runtime, not two
    enable_language(CUDA)
    # CMake before 3.26 does not know that nvcc 12 and later compile C++20, and would compile C++17 in silence.
    if(CMAKE_CUDA_COMPILER_ID STREQUAL "NVIDIA" AND CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.0
       AND NOT "cuda_std_20" IN_LIST CMAKE_CUDA_COMPILE_FEATURES)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_COMPILE_FEATURES "cuda_std_20")
      list(APPEND CMAKE_CUDA_COMPILE_FEATURES "cuda_std_20")
    endif()
    find_package(CUDAToolkit REQUIRED)
    set(ANODIFF_CUDA_ENABLED ON)
  elseif(NOT ANODIFF_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "anodiff: ANODIFF_CUDA=${ANODIFF_CUDA}, but no CUDA compiler was found; set CUDACXX to nvcc")
  endif()
endif()
