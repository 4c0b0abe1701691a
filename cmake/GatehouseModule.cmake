# gatehouse_module(NAME [USES module...] [LIBRARIES target...] [PRIVATE_LIBRARIES target...])
#
# One static library for the folder that calls it, of all its *.cc, and one test program
# NAME_test of all its *_test.cc. USES names the folders below it that it may include
# (src/architecture_test.py holds the includes against the same list). PRIVATE_LIBRARIES are those
# that the folder's headers do not show.
function(gatehouse_module name)
  cmake_parse_arguments(arg "" "" "USES;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM arg_USES PREPEND gatehouse_)

  if(sources)
    add_library(gatehouse_${name} STATIC ${sources})
    target_include_directories(gatehouse_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(gatehouse_${name} PUBLIC ${arg_USES} ${arg_LIBRARIES} Threads::Threads)
    target_link_libraries(gatehouse_${name} PRIVATE ${arg_PRIVATE_LIBRARIES})
  else()
    add_library(gatehouse_${name} INTERFACE)
    target_include_directories(gatehouse_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(gatehouse_${name} INTERFACE ${arg_USES} ${arg_LIBRARIES} Threads::Threads)
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE gatehouse_${name} ${arg_PRIVATE_LIBRARIES} GTest::gmock
                                               GTest::gtest_main)
    # A test's own code is run once: with the sanitizers, optimising it takes thrice the build's time.
    target_compile_options(${name}_test PRIVATE -O0)
    target_compile_definitions(${name}_test PRIVATE GATEHOUSE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name}_test COMMAND ${name}_test)
  endif()
endfunction()
