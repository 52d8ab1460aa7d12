# SPDX-License-Identifier: Apache-2.0
# `cmake --install build --component library` needs no build, unless there are compiled presets.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/anodiff)

install(DIRECTORY include/anodiff DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(TARGETS anodiff EXPORT anodiff-targets)
install(EXPORT anodiff-targets NAMESPACE anodiff:: DESTINATION ${package_dir} COMPONENT library)
install(DIRECTORY cmake/components DESTINATION ${package_dir} COMPONENT library)

set(same_everywhere ARCH_INDEPENDENT)
if(TARGET anodiff_presets)
  unset(same_everywhere)
  install(TARGETS anodiff_presets EXPORT anodiff-presets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  install(EXPORT anodiff-presets NAMESPACE anodiff:: DESTINATION ${package_dir} COMPONENT library)
endif()
if(TARGET anodiff_cli)
  install(TARGETS anodiff_cli RUNTIME COMPONENT program)
endif()

configure_package_config_file(cmake/anodiff-config.cmake.in ${PROJECT_BINARY_DIR}/anodiff-config.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/anodiff-config-version.cmake COMPATIBILITY SameMinorVersion
                                 ${same_everywhere})
install(FILES ${PROJECT_BINARY_DIR}/anodiff-config.cmake ${PROJECT_BINARY_DIR}/anodiff-config-version.cmake
        DESTINATION ${package_dir} COMPONENT library)

# The prefix is found from the file's own place, so that an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_DATADIR}/pkgconfig /)
configure_file(cmake/anodiff.pc.in ${PROJECT_BINARY_DIR}/anodiff.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/anodiff.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig COMPONENT library)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)
