# SPDX-License-Identifier: Apache-2.0
# `cmake --build build --target docs` writes build/docs/html; what Doxygen cannot read is an error.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND AND PROJECT_IS_TOP_LEVEL)
  configure_file(docs/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
  add_custom_target(docs COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/Doxyfile VERBATIM COMMENT "Writing the reference")
endif()
