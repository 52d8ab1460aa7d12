# SPDX-License-Identifier: Apache-2.0
# Each file in components/ makes one target anodiff::NAME where its dependency is found. The installed package reads
# the same files, so that what a component links is decided on the machine that uses it.
set(anodiff_found_components "")
foreach(component IN ITEMS zlib images onednn)
  string(TOUPPER ANODIFF_${component} wanted)
  if(NOT ${wanted} STREQUAL "AUTO" AND NOT ${wanted})
    continue()
  endif()
  include(${CMAKE_CURRENT_LIST_DIR}/components/${component}.cmake)
  if(TARGET anodiff::${component})
    list(APPEND anodiff_found_components ${component})
  elseif(NOT ${wanted} STREQUAL "AUTO")
    message(FATAL_ERROR "anodiff: ${wanted}=${${wanted}}, but ${anodiff_${component}_NEEDS} was not found")
  endif()
endforeach()
list(JOIN anodiff_found_components ", " found_text)
message(STATUS "anodiff ${PROJECT_VERSION}, components found: ${found_text}")

# Everything our own targets link: the library and all components found.
add_library(anodiff_all INTERFACE)
target_link_libraries(anodiff_all INTERFACE anodiff::anodiff)
foreach(component IN LISTS anodiff_found_components)
  target_link_libraries(anodiff_all INTERFACE anodiff::${component})
endforeach()
