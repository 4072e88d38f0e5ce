# Installs the rooms that exist (global property KAPPA_ROOMS) as the package `kappa`: find_package(kappa) gives
# kappa::<room> and kappa::kappa, which links them all. Headers go to include/kappa/<room>/.
include(CMakePackageConfigHelpers)
set(KAPPA_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/kappa")

add_library(kappa_kappa INTERFACE)
add_library(kappa::kappa ALIAS kappa_kappa)
set_target_properties(kappa_kappa PROPERTIES EXPORT_NAME kappa)

get_property(rooms GLOBAL PROPERTY KAPPA_ROOMS)
foreach(room IN LISTS rooms)
  target_link_libraries(kappa_kappa INTERFACE ${room})
  get_target_property(directory ${room} SOURCE_DIR)
  file(RELATIVE_PATH directory "${PROJECT_SOURCE_DIR}" "${directory}")
  install(
    DIRECTORY "${PROJECT_SOURCE_DIR}/${directory}/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kappa/${directory}"
    FILES_MATCHING
    PATTERN "*.h")
endforeach()
install(
  TARGETS kappa_kappa ${rooms}
  EXPORT kappaTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(
  EXPORT kappaTargets
  NAMESPACE kappa::
  DESTINATION "${KAPPA_CMAKE_DIR}")
# The component `kappa` is what a machine that runs pipelines needs; it makes the Debian package.
if(TARGET kappa_cli)
  install(TARGETS kappa_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT kappa)
  install(FILES "service/deploy/kappa@.service" DESTINATION lib/systemd/system COMPONENT kappa)
  install(FILES service/deploy/alerts.yml service/deploy/dashboard.json DESTINATION "${CMAKE_INSTALL_DATADIR}/kappa"
          COMPONENT kappa)
  install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT kappa)
endif()

configure_package_config_file(cmake/kappaConfig.cmake.in "${PROJECT_BINARY_DIR}/kappaConfig.cmake"
                              INSTALL_DESTINATION "${KAPPA_CMAKE_DIR}")
# 0.x promises nothing between minor versions.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/kappaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
# The dependencies are found again by the very list that the build used.
install(FILES "${PROJECT_BINARY_DIR}/kappaConfig.cmake" "${PROJECT_BINARY_DIR}/kappaConfigVersion.cmake"
              cmake/dependencies.cmake DESTINATION "${KAPPA_CMAKE_DIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# cpack --config BUILD/CPackConfig.cmake makes kappa_VERSION_ARCH.deb.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kappa)
set(CPACK_PACKAGE_CONTACT "the kappa project")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL kappa)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_KAPPA_PACKAGE_NAME kappa)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_KAPPA_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/service/deploy/postinst")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
