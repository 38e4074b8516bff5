# The default AppArmor profile as the kernel takes it. Compiled here, because few machines have the
# compiler; the features that it may use are pinned, so that kernels from 5.4 on take the result. On
# a build machine without the compiler Cellar has no default profile, and says so.
find_program(APPARMOR_PARSER NAMES apparmor_parser PATHS /sbin /usr/sbin)
set(features ${CMAKE_CURRENT_SOURCE_DIR}/apparmor_features.txt)
set(profile ${CMAKE_CURRENT_SOURCE_DIR}/apparmor_profile.txt)
set(APPARMOR_BINARY ${CMAKE_CURRENT_BINARY_DIR}/apparmor_profile.bin)
if(APPARMOR_PARSER)
	add_custom_command(OUTPUT ${APPARMOR_BINARY}
		COMMAND ${APPARMOR_PARSER} --config-file=/dev/null --quiet --skip-kernel-load --skip-cache
			--kernel-features=${features} --policy-features=${features}
			--ofile=${APPARMOR_BINARY} ${profile}
		DEPENDS ${features} ${profile}
		COMMENT "Compiling the AppArmor profile" VERBATIM)
else()
	message(WARNING "apparmor_parser is missing (Debian: apparmor): there will be no default "
		"AppArmor profile")
	file(WRITE ${APPARMOR_BINARY} "")
endif()
add_custom_target(apparmor-profile DEPENDS ${APPARMOR_BINARY})
set_source_files_properties(apparmor_image.S PROPERTIES OBJECT_DEPENDS ${APPARMOR_BINARY}
	COMPILE_DEFINITIONS "APPARMOR_FILE=\"${APPARMOR_BINARY}\"")
