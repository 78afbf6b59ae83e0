# SPDX-License-Identifier: Apache-2.0
# The function that the component calls, as docs.espressif.com describes it, in an image without ESP-IDF.
cmake_minimum_required(VERSION 3.16)
project(image C)

macro(idf_component_register)
  cmake_parse_arguments(component "" "" "SRCS;INCLUDE_DIRS" ${ARGV})
  set(COMPONENT_LIB component)
  add_library(component STATIC ${component_SRCS})
  target_include_directories(component PUBLIC ${component_INCLUDE_DIRS})
endmacro()

add_subdirectory(${MODULE} module)
