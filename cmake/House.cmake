# How a room of the house is built: one static library a folder, the libraries it owns linked PRIVATE, so that
# only that folder can include their headers (tests/house checks the includes themselves).

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # TRY() is a statement expression
set(CMAKE_C_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(DOMSMITH_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(DOMSMITH_FUZZ "Build the fuzz targets of tests/fuzz, for clang" OFF)
option(DOMSMITH_WERROR "Treat warnings as errors" OFF)
option(DOMSMITH_UNITY "Compile a folder's sources in batches" OFF)
option(DOMSMITH_PRECOMPILE "Precompile the library headers that most sources include" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(house_options INTERFACE)
target_include_directories(house_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(house_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                                               -Wnon-virtual-dtor -Wnull-dereference)
# g++ 12 sees faults in libstdc++'s own strings and vectors once it inlines them (GCC bugs 105329, 105651, 105562).
target_compile_options(house_options INTERFACE
                       "$<$<NOT:$<CONFIG:Debug>>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-null-dereference;-Wno-maybe-uninitialized>")
# Enough for a backtrace with its lines; whoever looks at variables takes the dev preset.
target_compile_options(house_options INTERFACE "$<$<CONFIG:RelWithDebInfo>:-g1>")
target_compile_definitions(house_options INTERFACE _FILE_OFFSET_BITS=64)
if(DOMSMITH_WERROR)
  target_compile_options(house_options INTERFACE -Werror)
endif()
if(DOMSMITH_SANITIZE)
  target_compile_options(house_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
                                                 -fno-sanitize-recover=undefined)
  target_link_options(house_options INTERFACE -fsanitize=address,undefined)
endif()

if(DOMSMITH_FUZZ)
  target_compile_options(house_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Reading the standard library, fmt and GoogleTest is most of what compiling one of our small sources costs. The release preset does it
# once for each set of flags; the dev preset (and with it script/lint) does not, so that a source that includes too little fails there.
#   house_precompiled(NAME [FLAGS flags…] [HEADERS more headers…] [USES libraries…])
# A folder's rooms use the set that ROOM_PRECOMPILED names there.
function(house_precompiled name)
  if(NOT DOMSMITH_PRECOMPILE)
    return()
  endif()
  cmake_parse_arguments(PRECOMPILED "" "" "FLAGS;HEADERS;USES" ${ARGN})
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/empty.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
  target_link_libraries(${name} PRIVATE house_options fmt::fmt nlohmann_json::nlohmann_json ${PRECOMPILED_USES})
  target_compile_options(${name} PRIVATE ${PRECOMPILED_FLAGS})
  target_precompile_headers(
    ${name} PRIVATE <algorithm> <array> <cstring> <expected> <filesystem> <fmt/format.h> <functional> <map> <memory> <optional> <set>
    <span> <string> <string_view> <vector> ${PRECOMPILED_HEADERS})
endfunction()

function(house_use_precompiled target name)
  if(DOMSMITH_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
  endif()
endfunction()

set(TEST_FLAGS "$<$<NOT:$<CONFIG:Debug>>:-O0;-g1>")
house_precompiled(precompiled_rooms)
set(ROOM_PRECOMPILED precompiled_rooms)
house_precompiled(precompiled_tests FLAGS ${TEST_FLAGS} USES GTest::gmock HEADERS <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp>)

# Sources in batches: what they include is read once a batch, and a clean build takes a third of the time. What two sources of a folder
# name in their anonymous namespaces meets there; ALONE lists those that use a neighbour's name for something of their own.
function(house_in_batches target)
  if(DOMSMITH_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    foreach(source IN LISTS ARGN)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endforeach()
  endif()
endfunction()

# domsmith_room(NAME SOURCES a.cc … [ALONE a.cc …] [USES rooms…] [OWNS libraries…])
function(domsmith_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ALONE;USES;OWNS" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(${name} PUBLIC house_options ${ROOM_USES} PRIVATE ${ROOM_OWNS})
  house_use_precompiled(${name} ${ROOM_PRECOMPILED})
  house_in_batches(${name} ${ROOM_ALONE})
endfunction()

# domsmith_test(NAME [OPTIMISED] SOURCES a_test.cc … [ALONE a_test.cc …] USES rooms… [LABELS quick|lab|…] [TIMEOUT seconds])
function(domsmith_test name)
  cmake_parse_arguments(TEST "OPTIMISED" "TIMEOUT" "SOURCES;ALONE;USES;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  if(NOT TEST_LABELS)
    set(TEST_LABELS quick)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE house_options ${TEST_USES} GTest::gmock GTest::gtest_main)
  # A test's own code is compiled once and run for a moment; half of a clean build's time was spent on optimising it. But what it has of
  # templates and inline functions is the whole program's: the linker takes the first that it meets, and tests come first.
  if(TEST_OPTIMISED)
    house_use_precompiled(${name} ${ROOM_PRECOMPILED})
  else()
    target_compile_options(${name} PRIVATE ${TEST_FLAGS})
    house_use_precompiled(${name} precompiled_tests)
  endif()
  house_in_batches(${name} ${TEST_ALONE})
  target_compile_definitions(${name} PRIVATE DOMSMITH_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             DOMSMITH_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
