# `make package`: Debian packages. fogline has both programs, the engine, pages, models, man pages, completions, units and
# defaults; libfogline0 the library (the engine comes with fogline), libfogline-dev what one builds with, python3-fogline the
# module.
set(FOGLINE_MAINTAINER "Fogline maintainers <maintainers@fogline.invalid>" CACHE STRING "Whose name packages bear")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fogline)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${FOGLINE_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The engine and the library, which no package of Debian's has: what needs them says so itself.
get_filename_component(engine_folder ${OnnxRuntime_LIBRARY} DIRECTORY)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${engine_folder} ${CMAKE_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)

# fogline_package(GROUP NAME COMPONENTS component… SUMMARY line TEXT lines SAYS [FIELD value]…): components become one package.
function(fogline_package group name)
  cmake_parse_arguments(PACKAGE "" "SUMMARY;TEXT" "COMPONENTS;SAYS" ${ARGN})
  string(TOUPPER ${group} upper)
  foreach(component IN LISTS PACKAGE_COMPONENTS)
    string(TOUPPER ${component} part)
    set(CPACK_COMPONENT_${part}_GROUP ${group} PARENT_SCOPE)
  endforeach()
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${PACKAGE_SUMMARY}\n${PACKAGE_TEXT}" PARENT_SCOPE)
  while(PACKAGE_SAYS)
    list(POP_FRONT PACKAGE_SAYS key value)
    set(CPACK_DEBIAN_${upper}_PACKAGE_${key} "${value}" PARENT_SCOPE)
  endwhile()
  set(packaged ${packaged} ${PACKAGE_COMPONENTS} PARENT_SCOPE)
endfunction()

set(packaged)
set(version ${PROJECT_VERSION})
set(library libfogline${PROJECT_VERSION_MAJOR})
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/conffiles
  CONTENT "/etc/fogline/cameras.env\n/etc/fogline/cloud.env\n/etc/fogline/edge.env\n/etc/fogline/map.env\n")
fogline_package(main fogline COMPONENTS Unspecified engine package
  SUMMARY "splits a CNN between edge device and cloud, and runs both halves"
  TEXT "Give Fogline a CNN as an ONNX file, an edge device, a cloud machine and a
network between them: it says where every layer should run for latency,
money or energy, and then runs exactly that, from camera to live map."
  SAYS RECOMMENDS mosquitto SUGGESTS "ffmpeg, redis-server, postgresql")
# A list, which fogline_package would take apart.
set(CPACK_DEBIAN_MAIN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/package/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
fogline_package(library ${library} COMPONENTS lib
  SUMMARY "library that splits a CNN between edge device and cloud"
  TEXT "What the programs of Fogline do with models, for others: cutting them in
two, running pieces of them, coding what crosses, planning and reckoning."
  SAYS SECTION libs DEPENDS "fogline (= ${version})")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/shlibs CONTENT "libfogline ${PROJECT_VERSION_MAJOR} ${library} (>= ${version})\n")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/package/shlibs ${CMAKE_BINARY_DIR}/package/triggers)
fogline_package(developers libfogline-dev COMPONENTS dev
  SUMMARY "what one builds with libfogline: headers, CMake, pkg-config, examples"
  TEXT "Headers for C++ and C, a CMake package, a pkg-config file and examples
for the library that splits a CNN between edge device and cloud."
  SAYS SECTION libdevel DEPENDS "${library} (= ${version})")
if(FOGLINE_PYTHON_NEEDS)
  fogline_package(python python3-fogline COMPONENTS python
    SUMMARY "splits a CNN between edge device and cloud (Python module)"
    TEXT "Cutting ONNX models, running pieces of them on NumPy arrays, coding what
crosses, and planning, from Python."
    SAYS SECTION python DEPENDS "${library} (= ${version}), ${FOGLINE_PYTHON_NEEDS}")
endif()

# Of the packages alone: `cmake --install` leaves an operator's /etc and units as they are. What scripts/package made of the
# program before (man pages, completions) lies in build/<preset>/shell.
set(made ${CMAKE_BINARY_DIR}/shell)
macro(fogline_packaged component)
  install(${ARGN} COMPONENT ${component} EXCLUDE_FROM_ALL)
endmacro()
fogline_packaged(package DIRECTORY ${made}/man1 DESTINATION share/man)
fogline_packaged(package FILES ${made}/bash/fogline DESTINATION share/bash-completion/completions)
fogline_packaged(package FILES ${made}/zsh/_fogline DESTINATION share/zsh/vendor-completions)
fogline_packaged(package FILES ${made}/fish/fogline.fish DESTINATION share/fish/vendor_completions.d)
fogline_packaged(package DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/systemd/ DESTINATION /lib/systemd/system)
fogline_packaged(package DIRECTORY ${debian}/etc/ DESTINATION /etc/fogline)
fogline_packaged(package FILES ${CMAKE_SOURCE_DIR}/docs/operations.md ${CMAKE_SOURCE_DIR}/docs/cameras.md ${made}/NEWS.gz DESTINATION share/doc/fogline)
fogline_packaged(package FILES ${debian}/lintian-overrides DESTINATION share/lintian/overrides RENAME fogline)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/library-overrides
  CONTENT "# CPack adds scripts that call ldconfig, beside the trigger.\n${library}: maintscript-calls-ldconfig *\n")
fogline_packaged(lib FILES ${CMAKE_BINARY_DIR}/package/library-overrides DESTINATION share/lintian/overrides RENAME ${library})
fogline_packaged(dev FILES ${CMAKE_SOURCE_DIR}/docs/library.md DESTINATION share/doc/libfogline-dev)
file(GLOB examples CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.cc ${CMAKE_SOURCE_DIR}/examples/CMakeLists.txt)
fogline_packaged(dev FILES ${examples} DESTINATION share/doc/libfogline-dev/examples)
fogline_packaged(python FILES ${CMAKE_SOURCE_DIR}/docs/python.md DESTINATION share/doc/python3-fogline)
foreach(pair IN ITEMS package:fogline lib:${library} dev:libfogline-dev python:python3-fogline)
  string(REPLACE ":" ";" pair ${pair})
  list(POP_FRONT pair component name)
  fogline_packaged(${component} FILES ${debian}/copyright DESTINATION share/doc/${name})
  # Of a package alone: scripts/package makes it, and a tree that is installed by hand does without.
  fogline_packaged(${component} FILES ${made}/changelog.gz DESTINATION share/doc/${name} OPTIONAL)
endforeach()

set(CPACK_COMPONENTS_ALL ${packaged})
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
include(CPack)
