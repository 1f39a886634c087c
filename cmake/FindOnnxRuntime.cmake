# The engine: ONNX Runtime, from -DONNXRUNTIME_ROOT=DIR (or the environment), else in third_party/, where scripts/engine puts
# it: as a step of the build, beside compiling what does not need it.
if(NOT ONNXRUNTIME_ROOT AND DEFINED ENV{ONNXRUNTIME_ROOT})
  set(ONNXRUNTIME_ROOT $ENV{ONNXRUNTIME_ROOT})
endif()
include(FindPackageHandleStandardArgs)
if(ONNXRUNTIME_ROOT)
  find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_cxx_api.h
    PATHS ${ONNXRUNTIME_ROOT}/include ${ONNXRUNTIME_ROOT}/include/onnxruntime
          ${ONNXRUNTIME_ROOT}/include/onnxruntime/core/session
    NO_DEFAULT_PATH)
  find_library(OnnxRuntime_LIBRARY onnxruntime PATHS ${ONNXRUNTIME_ROOT}/lib ${ONNXRUNTIME_ROOT} NO_DEFAULT_PATH)
else()
  set(root ${CMAKE_SOURCE_DIR}/third_party/onnxruntime)
  set(OnnxRuntime_INCLUDE_DIR ${root}/include)
  set(OnnxRuntime_LIBRARY ${root}/lib/libonnxruntime.so.1)
  file(MAKE_DIRECTORY ${OnnxRuntime_INCLUDE_DIR})  # CMake wants it to exist
  add_custom_command(OUTPUT ${root}/VERSION ${OnnxRuntime_LIBRARY}
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/engine DEPENDS ${CMAKE_SOURCE_DIR}/scripts/engine
    COMMENT "Fetching ONNX Runtime where it is missing" VERBATIM)
  add_custom_target(fogline_fetched_engine DEPENDS ${root}/VERSION)
endif()
find_package_handle_standard_args(OnnxRuntime
  REASON_FAILURE_MESSAGE "-DONNXRUNTIME_ROOT=DIR has no include/ and lib/ of ONNX Runtime"
  REQUIRED_VARS OnnxRuntime_LIBRARY OnnxRuntime_INCLUDE_DIR)
if(OnnxRuntime_FOUND AND NOT TARGET OnnxRuntime::OnnxRuntime)
  add_library(OnnxRuntime::OnnxRuntime SHARED IMPORTED)
  set_target_properties(OnnxRuntime::OnnxRuntime PROPERTIES
    IMPORTED_LOCATION ${OnnxRuntime_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${OnnxRuntime_INCLUDE_DIR})
  if(TARGET fogline_fetched_engine)
    add_dependencies(OnnxRuntime::OnnxRuntime fogline_fetched_engine)
  endif()
endif()
