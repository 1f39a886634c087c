# `make package`: a Debian package of both programs, the engine, pages, models, man pages, completions, units and defaults.
# What scripts/package made of the program before (man pages, completions) lies in build/<preset>/shell.
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
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "splits a CNN between edge device and cloud, and runs both halves
Give Fogline a CNN as an ONNX file, an edge device, a cloud machine and a
network between them: it says where every layer should run for latency,
money or energy, and then runs exactly that, from camera to live map.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS mosquitto)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ffmpeg, redis-server, postgresql")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/package/conffiles
  CONTENT "/etc/fogline/cloud.env\n/etc/fogline/edge.env\n/etc/fogline/map.env\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/package/conffiles
  ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Of the package alone: `cmake --install` leaves an operator's /etc and units as they are.
set(made ${CMAKE_BINARY_DIR}/shell)
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
macro(fogline_packaged)
  install(${ARGN} COMPONENT package EXCLUDE_FROM_ALL)
endmacro()
fogline_packaged(DIRECTORY ${made}/man1 DESTINATION share/man)
fogline_packaged(FILES ${made}/bash/fogline DESTINATION share/bash-completion/completions)
fogline_packaged(FILES ${made}/zsh/_fogline DESTINATION share/zsh/vendor-completions)
fogline_packaged(FILES ${made}/fish/fogline.fish DESTINATION share/fish/vendor_completions.d)
fogline_packaged(DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/systemd/ DESTINATION /lib/systemd/system)
fogline_packaged(DIRECTORY ${debian}/etc/ DESTINATION /etc/fogline)
fogline_packaged(FILES ${debian}/copyright ${CMAKE_SOURCE_DIR}/docs/operations.md ${made}/changelog.gz ${made}/NEWS.gz DESTINATION share/doc/fogline)
fogline_packaged(FILES ${debian}/lintian-overrides DESTINATION share/lintian/overrides RENAME fogline)
set(CPACK_COMPONENTS_ALL Unspecified engine package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
include(CPack)
