# fogline_precompiled(TARGET room|test)
#
# Reading the standard library takes longer than compiling most files: the headers that nearly every file includes are read
# once for rooms and once for tests (with gmock). Each file still includes what it uses:
# scripts/check compiles all of them without this, and -DFOGLINE_PCH=OFF builds so. No header of ours is among them.
set(pch OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(pch ON)
endif()
option(FOGLINE_PCH "Precompile the headers that nearly every file includes" ${pch})

set(FOGLINE_HEADERS
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <condition_variable> <cstdint> <cstring> <filesystem>
  <functional> <limits> <map> <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <thread>
  <unordered_map> <utility> <vector> <fmt/format.h> <nlohmann/json.hpp>)

# Who owns the compiled headers has no definitions that a user of them lacks: GCC takes them only if these agree.
function(fogline_headers kind libraries options)
  set(stub ${CMAKE_CURRENT_BINARY_DIR}/headers.cc)
  file(CONFIGURE OUTPUT ${stub} CONTENT "")
  add_library(fogline_headers_${kind} OBJECT ${stub})
  target_link_libraries(fogline_headers_${kind} PRIVATE fmt::fmt nlohmann_json::nlohmann_json ${libraries})
  target_compile_options(fogline_headers_${kind} PRIVATE ${options})
  target_precompile_headers(fogline_headers_${kind} PRIVATE ${FOGLINE_HEADERS} ${ARGN})
endfunction()

function(fogline_precompiled target kind)
  if(NOT FOGLINE_PCH)
    return()
  endif()
  if(NOT TARGET fogline_headers_${kind})
    if(kind STREQUAL "room")
      fogline_headers(room "" "")
    elseif(kind STREQUAL "test")
      fogline_headers(test GTest::gmock "-fPIE" <gmock/gmock.h> <gtest/gtest.h>)
      set_target_properties(fogline_headers_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)  # programs
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM fogline_headers_${kind})
endfunction()

# fogline_whole(TARGET)
#
# All of a room as one file for the compiler: from nothing that takes half the time, since what files share is read,
# instantiated and optimised once. After a change it takes longer; the preset dev leaves it out. Each file still stands by
# itself (scripts/check compiles them one by one), and no two of a room give one name to different things.
option(FOGLINE_WHOLE "Compile each room as one file" OFF)

function(fogline_whole target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${FOGLINE_WHOLE} UNITY_BUILD_BATCH_SIZE 0)
endfunction()

# fogline_tests(TARGET)
#
# A test program: its own headers once, its files a few at a time as one (all of a large room's would outlast everything else on
# a machine of several cores), and no more of the optimiser than keeps exhaustive cases quick.
function(fogline_tests target)
  fogline_precompiled(${target} test)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${FOGLINE_WHOLE} UNITY_BUILD_BATCH_SIZE 12)
  target_compile_options(${target} PRIVATE ${FOGLINE_LIGHT})
endfunction()
