# What an application gets: one static library of base, wire and core, the public headers, and how to find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(linger_producer STATIC $<TARGET_OBJECTS:linger_base> $<TARGET_OBJECTS:linger_wire>
                                   $<TARGET_OBJECTS:linger_core>)
set_target_properties(linger_producer PROPERTIES OUTPUT_NAME linger EXPORT_NAME linger LINKER_LANGUAGE C)
target_include_directories(linger_producer INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(linger_producer INTERFACE PkgConfig::LINGER_COMPRESSION)
add_library(linger::linger ALIAS linger_producer)

set(LINGER_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/linger)
install(TARGETS linger_producer EXPORT linger-targets)
install(EXPORT linger-targets NAMESPACE linger:: DESTINATION ${LINGER_PACKAGE_DIR})
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/linger DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

configure_package_config_file(package/linger-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/linger-config.cmake
                              INSTALL_DESTINATION ${LINGER_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/linger-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/linger-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/linger-config-version.cmake
        DESTINATION ${LINGER_PACKAGE_DIR})

configure_file(package/linger.pc.in ${CMAKE_CURRENT_BINARY_DIR}/linger.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/linger.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
