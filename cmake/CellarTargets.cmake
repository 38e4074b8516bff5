# SPDX-License-Identifier: Apache-2.0
find_package(PkgConfig REQUIRED)

# cellar_library(NAME SOURCES a.c b.c LINK other...)
#   One layer of the house as a static library; its headers are included as "layer/file.h".
function(cellar_library name)
	cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
	add_library(${name} STATIC ${A_SOURCES})
	target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
	target_link_libraries(${name} PUBLIC ${A_LINK})
endfunction()

# cellar_program(NAME [DYNAMIC] SOURCES ... LINK ...)
#   A program in build/PRESET/bin: static when CELLAR_STATIC is on, unless DYNAMIC (libmnl and
#   libarchive have no static build in Debian).
function(cellar_program name)
	cmake_parse_arguments(A "DYNAMIC" "" "SOURCES;LINK" ${ARGN})
	add_executable(${name} ${A_SOURCES})
	target_link_libraries(${name} PRIVATE ${A_LINK})
	if(CELLAR_STATIC AND NOT A_DYNAMIC)
		target_link_options(${name} PRIVATE -static -no-pie)
	endif()
	install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
