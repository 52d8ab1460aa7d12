# SPDX-License-Identifier: Apache-2.0
# Detectors chosen at run time, compiled once: one small file for each instance, so that they build in parallel.
file(GLOB preset_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/instances/*.cpp)
set(dispatchers ${preset_sources})
list(FILTER dispatchers INCLUDE REGEX "/any_[a-z_]+\\.cpp$")
set_source_files_properties(${dispatchers} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # they only declare what the others define
if(preset_sources)
  add_library(anodiff_presets STATIC ${preset_sources})
  add_library(anodiff::presets ALIAS anodiff_presets)
  set_target_properties(anodiff_presets PROPERTIES EXPORT_NAME presets POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(anodiff_presets INTERFACE ANODIFF_PRESETS_COMPILED=1)
  target_link_libraries(anodiff_presets PUBLIC anodiff::anodiff PRIVATE $<BUILD_INTERFACE:anodiff_warnings>)
  foreach(component IN LISTS anodiff_found_components)
    target_link_libraries(anodiff_presets PUBLIC anodiff::${component})
  endforeach()
  if(ANODIFF_NATIVE AND ANODIFF_HAS_MARCH_NATIVE)
    # Public: inline functions of the library must be the same on both sides, and Eigen's alignment follows the flag.
    target_compile_options(anodiff_presets PUBLIC -march=native)
  endif()
endif()
