# SPDX-License-Identifier: Apache-2.0
find_package(PkgConfig REQUIRED)

# Programs that start often are linked with musl (base/musl/musl.c says why) where they are static;
# the libraries that they consist of are compiled a second time, as NAME_musl. musl has no headers of
# the kernel nor of yajl; those of the host come last, so that none of glibc's is taken.
set(CELLAR_MUSL OFF)
find_program(MUSL_GCC NAMES musl-gcc REQUIRED)
if(CELLAR_STATIC AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
	file(STRINGS ${MUSL_GCC} line REGEX "\\.specs")
	string(REGEX MATCH "/[^\"' ]+\\.specs" MUSL_SPECS "${line}")
	if(EXISTS "${MUSL_SPECS}")
		set(CELLAR_MUSL ON)
		set(MUSL_FLAGS -specs=${MUSL_SPECS} "SHELL:-idirafter /usr/include"
			"SHELL:-idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")
	endif()
endif()

# cellar_musl_names(OUT NAME...): the names of the libraries as they are linked with musl
function(cellar_musl_names out)
	set(names)
	foreach(name ${ARGN})
		if(TARGET ${name}_musl)
			set(name ${name}_musl)
		endif()
		list(APPEND names ${name})
	endforeach()
	set(${out} ${names} PARENT_SCOPE)
endfunction()

# cellar_library(NAME [MUSL] SOURCES a.c b.c LINK other...)
#   One layer of the house as a static library; its headers are included as "layer/file.h". MUSL: a
#   program on musl consists of it, too.
function(cellar_library name)
	cmake_parse_arguments(A "MUSL" "" "SOURCES;LINK" ${ARGN})
	add_library(${name} STATIC ${A_SOURCES})
	target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
	target_link_libraries(${name} PUBLIC ${A_LINK})
	if(CELLAR_MUSL AND A_MUSL)
		add_library(${name}_musl STATIC EXCLUDE_FROM_ALL ${A_SOURCES})
		target_include_directories(${name}_musl PUBLIC ${CMAKE_SOURCE_DIR}
			PRIVATE ${CMAKE_SOURCE_DIR}/base/musl)
		target_compile_options(${name}_musl PRIVATE ${MUSL_FLAGS})
		cellar_musl_names(links ${A_LINK})
		target_link_libraries(${name}_musl PUBLIC ${links})
	endif()
endfunction()

# cellar_program(NAME [DYNAMIC | MUSL] SOURCES ... LINK ...)
#   A program in build/PRESET/bin: static when CELLAR_STATIC is on, unless DYNAMIC (libmnl and
#   libarchive have no static build in Debian); with MUSL on musl then.
function(cellar_program name)
	cmake_parse_arguments(A "DYNAMIC;MUSL" "" "SOURCES;LINK" ${ARGN})
	add_executable(${name} ${A_SOURCES})
	if(CELLAR_MUSL AND A_MUSL)
		cellar_musl_names(A_LINK ${A_LINK})
		target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/base/musl)
		target_compile_options(${name} PRIVATE ${MUSL_FLAGS})
		# malloc: the linker does not see that what it optimises calls it, and would take musl's.
		target_link_options(${name} PRIVATE -specs=${MUSL_SPECS} -Wl,--undefined=malloc)
	endif()
	target_link_libraries(${name} PRIVATE ${A_LINK})
	if(CELLAR_STATIC AND NOT A_DYNAMIC)
		target_link_options(${name} PRIVATE -static -no-pie)
	endif()
	install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
