# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags that every target of ours shares.
add_compile_definitions(_GNU_SOURCE CELLAR_VERSION="${PROJECT_VERSION}")
add_compile_options(
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Walloca -Wformat=2
	-Wundef -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough
	-Wno-missing-field-initializers -Werror=unused-function -Werror=implicit-function-declaration
	-Werror=incompatible-pointer-types -Werror=return-type -fno-common -fno-strict-aliasing
	-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,-z,noexecstack)

if(CELLAR_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
		-fno-omit-frame-pointer -g)
	add_link_options(-fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
	# Asserts stay: a broken invariant in a program that runs as root must stop it.
	string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
	string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
	add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
		-fstack-clash-protection -fcf-protection)
	add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()

if(CELLAR_FUZZ)
	# Coverage in the libraries too, or the fuzzers are blind.
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CELLAR_LTO)
	set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
