# SPDX-License-Identifier: Apache-2.0
# cmake -DCOMPILER=… -DFLAGS=FILE -DSOURCE=… -DOBJECT=… -P check_compile_time.cmake; see tests/compile_time/CMakeLists.txt
cmake_minimum_required(VERSION 3.25)
file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// budget-seconds: ([0-9]+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// budget-seconds: N`")
endif()
set(budget ${CMAKE_MATCH_1})
math(EXPR budget_ms "1000 * ${budget}")

# Processor time, so that a busy machine does not fail the test; the best of three, and enough once within the budget.
set(best 999999999)
foreach(try RANGE 1 3)
  execute_process(
    COMMAND bash -c "TIMEFORMAT='%3U %3S'; time \"$@\"" time ${COMPILER} @${FLAGS} -O2 -c ${SOURCE} -o ${OBJECT}
    RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0 OR NOT out MATCHES "([0-9]+)[.,]([0-9][0-9][0-9]) ([0-9]+)[.,]([0-9][0-9][0-9])\n$")
    message(FATAL_ERROR "${SOURCE}: did not compile:\n${out}")
  endif()
  math(EXPR ms "1000 * (${CMAKE_MATCH_1} + ${CMAKE_MATCH_3}) + 1${CMAKE_MATCH_2} + 1${CMAKE_MATCH_4} - 2000")
  if(ms LESS best)
    set(best ${ms})
  endif()
  if(best LESS_EQUAL budget_ms)
    break()
  endif()
endforeach()
if(best GREATER budget_ms)
  message(FATAL_ERROR "${SOURCE}: took ${best} ms of processor time to compile, the budget is ${budget_ms} ms")
endif()
message(STATUS "${SOURCE}: ${best} ms of ${budget_ms} ms")
