# SPDX-License-Identifier: Apache-2.0
# cmake -DCHECKER=… -DWORK=… -P self_test.cmake: plants one breach at a time and asks the checker for its sentence.
cmake_minimum_required(VERSION 3.25)
set(failed "")
set(cases 0)

# plant(EXPECTED FILE TEXT FILE TEXT …): a tree of these headers; EXPECTED "" means that the checker must be content.
function(plant expected)
  file(REMOVE_RECURSE ${WORK})
  list(LENGTH ARGN count)
  math(EXPR last "${count} - 1")
  foreach(i RANGE 0 ${last} 2)
    math(EXPR j "${i} + 1")
    list(GET ARGN ${i} file)
    list(GET ARGN ${j} text)
    string(REPLACE "|" "\n" text "${text}")
    file(WRITE ${WORK}/include/anodiff/${file} "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n${text}\n")
  endforeach()
  set(fix -DFIX=OFF)
  if(NOT EXISTS ${WORK}/include/anodiff/anodiff.hpp)
    set(fix -DFIX=ON)
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} ${fix} -P ${CHECKER} RESULT_VARIABLE code OUTPUT_VARIABLE out
                  ERROR_VARIABLE out)
  string(REGEX REPLACE "[ \n]+" " " out "${out}")
  math(EXPR cases "${cases} + 1")
  set(cases ${cases} PARENT_SCOPE)
  if(expected STREQUAL "")
    if(NOT code EQUAL 0)
      set(failed "${failed}\n  a tree without a breach was refused: ${out}" PARENT_SCOPE)
    endif()
    return()
  endif()
  string(FIND "${out}" "${expected}" at)
  if(code EQUAL 0 OR at EQUAL -1 OR NOT out MATCHES " [12] breaches ")
    set(failed "${failed}\n  wanted: ${expected}\n  got:    ${out}" PARENT_SCOPE)
  endif()
endfunction()

set(core core/check.hpp "#include <string>")
set(optional formats/npz.hpp "#include <zlib.h>" formats/far.hpp "#include <anodiff/formats/npz.hpp>")

plant("" ${core} ops/add.hpp "#include <anodiff/core/check.hpp>" ops/add_cpu.hpp "#include <Eigen/Core>"
      engines/cpu.hpp "#include <Eigen/Core>|#include <anodiff/ops/add_cpu.hpp>|#include <anodiff/version.hpp>"
      samplers/a.hpp "#include <anodiff/ops/add.hpp>" samplers/b.hpp "#  include <anodiff/samplers/a.hpp>"
      runtime/names.hpp "#include <anodiff/samplers/a.hpp>" version.hpp "" ${optional}
      formats/table.hpp "#ifdef ANODIFF_HAS_ZLIB|#include <anodiff/formats/npz.hpp>|#endif")
plant("core/check.hpp: includes <anodiff/ops/add.hpp>, but core is layer 0 and ops is layer 1" core/check.hpp
      "#include <anodiff/ops/add.hpp>" ops/add.hpp "")
plant("grids/g.hpp: includes <anodiff/samplers/s.hpp>, but grids is layer 2 and samplers is layer 2" grids/g.hpp
      "#include <anodiff/samplers/s.hpp>" samplers/s.hpp "")
plant("methods/m.hpp: includes <anodiff/runtime/names.hpp>, but methods is layer 6" methods/m.hpp
      " # include <anodiff/runtime/names.hpp>" runtime/names.hpp "")
plant("cycle of includes: core/a.hpp -> core/b.hpp -> core/c.hpp -> core/a.hpp" core/a.hpp
      "#include <anodiff/core/b.hpp>" core/b.hpp "#include <anodiff/core/c.hpp>" core/c.hpp
      "#include <anodiff/core/a.hpp>")
plant("engines/cuda.hpp: a .hpp includes <anodiff/ops/add.cuh>" engines/cuda.hpp "#include <anodiff/ops/add.cuh>"
      ops/add.cuh "")
plant("ops/add.hpp: includes <Eigen/Core> - Eigen may be used in" ops/add.hpp "#include <Eigen/Core>")
plant("ops/add.cuh: includes <unsupported/Eigen/FFT> - Eigen may be used in" ops/add.cuh
      "#include <unsupported/Eigen/FFT>")
plant("core/a.hpp: includes <functional>, which no header here may" core/a.hpp "#include <functional>")
plant("core/a.hpp: includes \"b.hpp\" by quotes" core/a.hpp "#include \"b.hpp\"" core/b.hpp "")
plant("core/a.hpp: includes <anodiff/core/gone.hpp>, which does not exist" core/a.hpp
      "#include <anodiff/core/gone.hpp>")
plant("utils/a.hpp: folder utils has no layer" utils/a.hpp "")
plant("helpers.hpp: the top level holds" helpers.hpp "")
plant("core/a.hpp: includes the umbrella <anodiff/anodiff.hpp>" core/a.hpp "#include <anodiff/anodiff.hpp>"
      anodiff.hpp "#include <anodiff/core/a.hpp>")
plant("anodiff.hpp: does not include <anodiff/core/check.hpp>" ${core} anodiff.hpp "")
plant("anodiff.hpp: includes <anodiff/nn/zipped.hpp> outside #ifdef ANODIFF_HAS_ZLIB" nn/zipped.hpp
      "#include <anodiff/formats/npz.hpp>" ${optional} anodiff.hpp "#include <anodiff/nn/zipped.hpp>")
plant("anodiff.hpp: includes <anodiff/nn/far.hpp> outside #ifdef ANODIFF_HAS_ZLIB" ${optional} nn/zipped.hpp
      "#include <anodiff/formats/npz.hpp>" nn/far.hpp "#include <anodiff/nn/zipped.hpp>" anodiff.hpp
      "#ifdef ANODIFF_HAS_ZLIB|#include <anodiff/nn/zipped.hpp>|#else|#include <anodiff/nn/far.hpp>|#endif")
plant("anodiff.hpp: includes <anodiff/formats/table.hpp>, which it must not" formats/table.hpp "" anodiff.hpp
      "#include <anodiff/formats/table.hpp>")
plant("anodiff.hpp: an umbrella includes <anodiff/runtime/names.hpp>" runtime/names.hpp "" anodiff.hpp
      "#include <anodiff/runtime/names.hpp>")

file(WRITE ${WORK}/include/anodiff/core/a.hpp "#pragma once\n")
execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -DFIX=ON -P ${CHECKER} RESULT_VARIABLE code ERROR_VARIABLE out
                OUTPUT_QUIET)
if(code EQUAL 0 OR NOT out MATCHES "the first two lines must be")
  string(APPEND failed "\n  a header without the SPDX line passed")
endif()

if(failed)
  message(FATAL_ERROR "the layer checker failed its own test:${failed}")
endif()
message(STATUS "the layer checker saw every planted breach and passed the sound tree (${cases} trees)")
