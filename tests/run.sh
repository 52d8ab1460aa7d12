#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole check: both compilers, sanitizers, consumers. Ends with `N passed, N failed` and fails if anything did.
#   ANODIFF_CI_STEPS  which steps, in this order: gcc consumers clang asan tsan (default: all)
#   ANODIFF_JOBS      processes at once (default: 2)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

steps=${ANODIFF_CI_STEPS:-gcc consumers clang asan tsan}
jobs=${ANODIFF_JOBS:-2}
passed=0
failed=0
table=""

# step NAME SECONDS-AT-START PASSED FAILED
note() {
  passed=$((passed + $3))
  failed=$((failed + $4))
  table+=$(printf '%-10s %4d passed %3d failed %5d s' "$1" "$3" "$4" "$((SECONDS - $2))")$'\n'
}

# build NAME BUILD-TARGET CMAKE-ARGUMENTS…; the folder is build/NAME. A step that does not build counts as one failure.
build() {
  local folder=build/$1 target=$2
  shift 2
  cmake "$@" -B "$folder" -G Ninja --no-warn-unused-cli >"$folder.log" 2>&1 || { cat "$folder.log"; return 1; }
  cmake --build "$folder" -j "$jobs" --target "$target" -- -k 0
}

# g++ does not look for memory to reuse before it holds 1 GB, which saves a tenth of its time or more.
build_gcc() {
  build gcc all --preset ci -DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_FLAGS=--param=ggc-min-heapsize=1000000
}

# check NAME START CTEST-ARGUMENTS…
check() {
  local name=$1 start=$2 log=build/$1.ctest.log folder=$3
  shift 3
  ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error "$@" 2>&1 | tee "$log"
  # "98% tests passed, 1 tests failed out of 50"
  local line total bad
  line=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$log" | tail -1)
  bad=$(sed -E 's/.* ([0-9]+) tests failed out of.*/\1/' <<<"$line")
  total=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$line")
  if [[ -z $line ]]; then bad=1 total=1; fi
  note "$name" "$start" $((total - bad)) "$bad"
}

run_step() {
  local step=$1 start=$SECONDS
  echo "== $step"
  case $step in
    gcc)
      build_gcc || { note gcc "$start" 0 1; return; }
      check gcc "$start" build/gcc -LE consumers
      ;;
    consumers)  # of the tree that gcc built
      build_gcc || { note consumers "$start" 0 1; return; }
      check consumers "$start" build/gcc -L consumers
      ;;
    clang)  # -O1: what matters here is what clang says, not how fast its code is; each source by itself
      build clang all --preset ci -DCMAKE_CXX_COMPILER=clang++-19 "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" \
        -DCMAKE_UNITY_BUILD=OFF -DANODIFF_BENCHMARKS=OFF || { note clang "$start" 0 1; return; }
      # The others read the source or use the installed tree: gcc has done them.
      check clang "$start" build/clang -LE consumers -E '^(layers|layers.self_test|headers_alone|docs|compile_time.*)$'
      ;;
    asan)
      build asan all --preset asan -DCMAKE_CXX_COMPILER=clang++-19 || { note asan "$start" 0 1; return; }
      check asan "$start" build/asan
      ;;
    tsan)  # only what runs on many threads
      build tsan anodiff_threaded_tests --preset tsan -DCMAKE_CXX_COMPILER=clang++-19 ||
        { note tsan "$start" 0 1; return; }
      check tsan "$start" build/tsan -L threads
      ;;
    *)
      echo "tests/run.sh: there is no step '$step'; steps: gcc consumers clang asan tsan" >&2
      exit 2
      ;;
  esac
}

bash cmake/install_dependencies.sh || exit 1
mkdir -p build
for step in $steps; do run_step "$step"; done
echo
printf '%s' "$table"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
