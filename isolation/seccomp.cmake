# SPDX-License-Identifier: Apache-2.0
# Tables of calls and the default profile's filters, written by a program of the build machine. For
# a cross build give that program, built natively before: -DCELLAR_SECCOMP_GEN=PATH.
find_library(SECCOMP_LIBRARY NAMES libseccomp.a seccomp REQUIRED)
set(gen_source ${CMAKE_SOURCE_DIR}/tools/seccomp-gen)
set(CELLAR_SECCOMP_GEN "" CACHE FILEPATH "seccomp-gen of the build machine, for cross builds")
if(CELLAR_SECCOMP_GEN)
	set(gen_program ${CELLAR_SECCOMP_GEN})
else()
	add_executable(seccomp-gen ${gen_source}/main.c ${gen_source}/calls.c ${gen_source}/profile.c
		${gen_source}/write.c seccomp_filter.c seccomp_table.c seccomp_rows.c)
	target_include_directories(seccomp-gen PRIVATE ${gen_source})
	target_link_libraries(seccomp-gen PRIVATE spec base ${SECCOMP_LIBRARY})
	set_target_properties(seccomp-gen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
	set(gen_program seccomp-gen)
endif()
string(TOLOWER ${CMAKE_SYSTEM_PROCESSOR} gen_target)
string(REPLACE amd64 x86_64 gen_target ${gen_target})
string(REPLACE arm64 aarch64 gen_target ${gen_target})
set(seccomp_tables ${CMAKE_CURRENT_BINARY_DIR}/seccomp_tables.c)
add_custom_command(OUTPUT ${seccomp_tables}
	COMMAND ${gen_program} ${gen_target} ${CMAKE_CURRENT_SOURCE_DIR}/seccomp_profile.txt
		${CMAKE_CURRENT_SOURCE_DIR}/seccomp_newer.txt ${seccomp_tables}
	DEPENDS ${gen_program} seccomp_profile.txt seccomp_newer.txt
	COMMENT "Default seccomp profile for ${gen_target}" VERBATIM)
target_sources(isolation PRIVATE ${seccomp_tables})
if(TARGET isolation_musl)
	target_sources(isolation_musl PRIVATE ${seccomp_tables})
	add_dependencies(isolation_musl isolation) # one of them writes the tables
endif()
