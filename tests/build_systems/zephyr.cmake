# SPDX-License-Identifier: Apache-2.0
# The functions that the module calls, as docs.zephyrproject.org describes them, in an image without Zephyr.
cmake_minimum_required(VERSION 3.20)
project(image C)

function(zephyr_include_directories)
  include_directories(${ARGV})
endfunction()
macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
  add_library(${name} STATIC)
endmacro()
function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()
function(zephyr_library_compile_options_ifdef feature)
  if(${feature})
    target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
  endif()
endfunction()

add_subdirectory(${MODULE} module)
