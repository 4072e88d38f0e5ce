# kappa_room(NAME SOURCES … [LINKS …] [PRIVATE_LINKS …]): one room, one static library, exported as kappa::NAME.
# Headers are included as "kappa/<room>/<file>.h" everywhere: the build tree holds a link `include/kappa` to the source tree.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/include/kappa" SYMBOLIC)

# Under a sanitizer only what its tests need is built; `--target kappa_cli` still builds the program.
string(FIND "${CMAKE_CXX_FLAGS}" "-fsanitize" position)
if(position GREATER_EQUAL 0)
  set(sanitized TRUE)
endif()

function(kappa_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${KAPPA_WARNINGS} -ffp-contract=off)
  if(KAPPA_KILL_POINTS)
    target_compile_definitions(${target} PRIVATE KAPPA_KILL_POINTS)
  endif()
endfunction()

function(kappa_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(kappa_${name} STATIC ${ROOM_SOURCES})
  add_library(kappa::${name} ALIAS kappa_${name})
  set_target_properties(kappa_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(kappa_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                                  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(kappa_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
  kappa_flags(kappa_${name})
  if(sanitized)
    set_target_properties(kappa_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  set_property(GLOBAL APPEND PROPERTY KAPPA_ROOMS kappa_${name})
endfunction()

# kappa_allocator(TARGET): links a program with tcmalloc; not under a sanitizer, which brings its own allocator.
function(kappa_allocator target)
  if(NOT sanitized)
    target_link_libraries(${target} PRIVATE PkgConfig::tcmalloc)
    target_link_options(${target} PRIVATE LINKER:--no-as-needed)
  endif()
endfunction()
