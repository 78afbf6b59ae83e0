# SPDX-License-Identifier: Apache-2.0
# What a port of MicroPython does with the file that USER_C_MODULES names.
cmake_minimum_required(VERSION 3.16)
project(port C)

add_library(usermod INTERFACE)
include(${MODULE}/micropython.cmake)
add_library(firmware STATIC)
target_include_directories(firmware PRIVATE ${CMAKE_CURRENT_LIST_DIR}/declared)
target_link_libraries(firmware PRIVATE usermod)
