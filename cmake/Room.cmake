# fogline_room(NAME [LIGHT] [USES room…] [LIBS lib…])
#
# One room of the house: every src/NAME/*.cc becomes the static library fogline_NAME, and every *_test.cc beside them the
# test program fogline_NAME_test. USES names the rooms above that it may include; LIBS the third-party libraries that live
# in it (PRIVATE: no other room sees their headers through it). LIGHT: text and glue, not worth the optimiser's time.
set(FOGLINE_LIGHT $<$<CONFIG:Release>:-O1>)

function(fogline_room name)
  cmake_parse_arguments(ROOM "LIGHT" "" "USES;LIBS;PUBLIC_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  add_library(fogline_${name} STATIC ${sources})
  target_include_directories(fogline_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(used IN LISTS ROOM_USES)
    target_link_libraries(fogline_${name} PUBLIC fogline_${used})
  endforeach()
  target_link_libraries(fogline_${name} PUBLIC ${ROOM_PUBLIC_LIBS} PRIVATE ${ROOM_LIBS})
  if(ROOM_LIGHT)
    target_compile_options(fogline_${name} PRIVATE ${FOGLINE_LIGHT})
  endif()
  fogline_precompiled(fogline_${name} room)
  fogline_whole(fogline_${name})

  if(FOGLINE_TESTS AND tests)
    add_executable(fogline_${name}_test ${tests})
    target_link_libraries(fogline_${name}_test PRIVATE fogline_${name} ${ROOM_LIBS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(fogline_${name}_test PRIVATE
      FOGLINE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" FOGLINE_SHARED_DATA="${FOGLINE_SHARED_DATA}")
    fogline_tests(fogline_${name}_test)
    include(GoogleTest)
    gtest_discover_tests(fogline_${name}_test TEST_PREFIX ${name}/ PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

# Real models and photographs that some tests use when they are there; they skip with a message otherwise.
set(FOGLINE_SHARED_DATA "${CMAKE_SOURCE_DIR}/../shared/data" CACHE PATH "Folder of real models and photographs for tests")
get_filename_component(FOGLINE_SHARED_DATA "${FOGLINE_SHARED_DATA}" ABSOLUTE)
