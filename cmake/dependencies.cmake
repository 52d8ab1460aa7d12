# SPDX-License-Identifier: Apache-2.0
# What the library itself cannot do without: Eigen and threads.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

find_package(Eigen3 QUIET NO_MODULE)  # no version here: Eigen's own version file would refuse every later major version
if(Eigen3_FOUND AND Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR "anodiff needs Eigen 3.4 or later; ${Eigen3_DIR} has ${Eigen3_VERSION}")
endif()
if(NOT TARGET Eigen3::Eigen AND ANODIFF_FETCH)
  # Not tested: the project's own checks run without a network.
  include(FetchContent)
  FetchContent_Declare(
    eigen
    URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
    URL_HASH SHA256=8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72
    SOURCE_SUBDIR headers-only)
  FetchContent_MakeAvailable(eigen)
  add_library(Eigen3::Eigen INTERFACE IMPORTED GLOBAL)
  target_include_directories(Eigen3::Eigen SYSTEM INTERFACE "${eigen_SOURCE_DIR}")
endif()
if(NOT TARGET Eigen3::Eigen)
  message(FATAL_ERROR "anodiff needs Eigen 3.4 or later (Debian: libeigen3-dev), or -DANODIFF_FETCH=ON to download it")
endif()
