# SPDX-License-Identifier: Apache-2.0
# cmake -DCOMPILER=… -DFLAGS=FILE -DSOURCE=… -DOBJECT=… -P check_compile_time.cmake; see tests/compile_time/CMakeLists.txt
cmake_minimum_required(VERSION 3.25)
file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// budget-seconds: ([0-9]+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// budget-seconds: N`")
endif()
math(EXPR budget "1000 * ${CMAKE_MATCH_1}")

# Least processor time of up to `tries` compilations, in ms; stops at the first one within `enough`.
function(measure out source tries enough)
  set(best 999999999)
  foreach(try RANGE 1 ${tries})
    execute_process(
      COMMAND bash -c "TIMEFORMAT='%3U %3S'; time \"$@\"" time ${COMPILER} @${FLAGS} -O2 -c ${source} -o ${OBJECT}
      RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
    if(NOT code EQUAL 0 OR NOT text MATCHES "([0-9]+)[.,]([0-9][0-9][0-9]) ([0-9]+)[.,]([0-9][0-9][0-9])\n$")
      message(FATAL_ERROR "${source}: did not compile:\n${text}")
    endif()
    math(EXPR ms "1000 * (${CMAKE_MATCH_1} + ${CMAKE_MATCH_3}) + 1${CMAKE_MATCH_2} + 1${CMAKE_MATCH_4} - 2000")
    if(ms LESS best)
      set(best ${ms})
    endif()
    if(best LESS_EQUAL enough)
      break()
    endif()
  endforeach()
  set(${out} ${best} PARENT_SCOPE)
endfunction()

measure(took ${SOURCE} 3 ${budget})
if(took GREATER budget)
  # The budget is meant for a machine that compiles <Eigen/Core> in one second; a slower one gets more in proportion.
  file(WRITE ${OBJECT}.yardstick.cpp "#include <Eigen/Core>\n")
  measure(yardstick ${OBJECT}.yardstick.cpp 2 1000)
  if(yardstick GREATER 1000)
    math(EXPR budget "${budget} * ${yardstick} / 1000")
    message(STATUS "<Eigen/Core> alone takes ${yardstick} ms here: the budget grows to ${budget} ms")
  endif()
endif()
if(took GREATER budget)
  message(FATAL_ERROR "${SOURCE}: took ${took} ms of processor time to compile, the budget is ${budget} ms")
endif()
message(STATUS "${SOURCE}: ${took} ms of ${budget} ms")
