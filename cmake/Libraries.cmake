# Every library comes from a Debian package (script/packages.txt says which and why).
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest REQUIRED)
include(GoogleTest)

pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle hogweed)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
# Of the shared libarchive every host would carry libxml2 and ICU (40 MB), for an archive format that nothing here reads: the static one
# brings the parts that are used. Its own libraries: libarchive.pc, Libs.private, without libxml2.
find_library(ARCHIVE_STATIC libarchive.a)
add_library(archive_parts INTERFACE)
find_library(BZIP2_LIBRARY NAMES libbz2.a bz2)
target_link_libraries(archive_parts INTERFACE ${ARCHIVE_STATIC} PkgConfig::NETTLE acl lzma zstd lz4 ${BZIP2_LIBRARY} z)
if(NOT ARCHIVE_STATIC)
  set_property(TARGET archive_parts PROPERTY INTERFACE_LINK_LIBRARIES PkgConfig::ARCHIVE)
endif()
pkg_check_modules(EXT2FS REQUIRED IMPORTED_TARGET ext2fs com_err uuid)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(DEVMAPPER REQUIRED IMPORTED_TARGET devmapper)
pkg_check_modules(XENLIGHT REQUIRED IMPORTED_TARGET xenlight)
pkg_check_modules(XLUTIL REQUIRED IMPORTED_TARGET xlutil)

# A hypervisor's root has no other user of these, and a program that starts often starts sooner with less to bring together: where there
# is a static one, its used parts are linked in.
function(prefer_static target)
  set(archives)
  foreach(name IN LISTS ARGN)
    find_library(STATIC_${name} lib${name}.a)
    list(APPEND archives ${STATIC_${name}})
    if(NOT STATIC_${name})
      return()
    endif()
  endforeach()
  set_property(TARGET ${target} PROPERTY INTERFACE_LINK_LIBRARIES ${archives})
endfunction()
prefer_static(PkgConfig::NETTLE hogweed nettle)
set_property(TARGET PkgConfig::NETTLE APPEND PROPERTY INTERFACE_LINK_LIBRARIES gmp)
prefer_static(PkgConfig::SQLITE sqlite3)
set_property(TARGET PkgConfig::SQLITE APPEND PROPERTY INTERFACE_LINK_LIBRARIES m)

# liblvm2cmd has no pkg-config file.
find_library(LVM2CMD_LIBRARY lvm2cmd REQUIRED)
add_library(lvm2cmd INTERFACE)
target_link_libraries(lvm2cmd INTERFACE ${LVM2CMD_LIBRARY})
