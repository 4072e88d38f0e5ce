file(REMOVE_RECURSE "${WORK_DIR}")
set(prefix "${WORK_DIR}/prefix")

function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "package_test: failed (${status}): ${command}")
  endif()
endfunction()

step(${CMAKE_COMMAND} --install "${KAPPA_BUILD_DIR}" --prefix "${prefix}")

# Nothing installed may lean on the source or build tree, and no test travels along.
file(GLOB_RECURSE files "${prefix}/*.cmake" "${prefix}/*.h")
foreach(file IN LISTS files)
  file(READ "${file}" text)
  string(FIND "${text}" "${KAPPA_BUILD_DIR}" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "package_test: ${file} names the build tree")
  endif()
endforeach()
if(EXISTS "${prefix}/include/kappa/tests" OR NOT EXISTS "${prefix}/include/kappa/engine/batch.h")
  message(FATAL_ERROR "package_test: wrong set of headers below ${prefix}/include")
endif()

step(
  ${CMAKE_COMMAND} -S "${CONSUMER_DIR}" -B "${WORK_DIR}/build" -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${prefix}"
  "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" -DCMAKE_BUILD_TYPE=Debug)
step(${CMAKE_COMMAND} --build "${WORK_DIR}/build")

# Runs the consumer; fails unless it ends well and its output has a line that matches `pattern`.
function(consumer pattern)
  execute_process(COMMAND "${WORK_DIR}/build/consumer" ${ARGN} WORKING_DIRECTORY "${WORK_DIR}" RESULT_VARIABLE status
                  OUTPUT_VARIABLE text ERROR_VARIABLE errors)
  if(NOT status EQUAL 0 OR NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "package_test: consumer ${ARGN} gave ${status}, not \"${pattern}\":\n${text}${errors}")
  endif()
endfunction()

consumer("replay" --help)
consumer("window_aggregate .per-minute. <- .by-customer." graph)
file(WRITE "${WORK_DIR}/orders.jsonl"
     "{\"customer\":7,\"amount\":2.5,\"at\":1000}\n{\"customer\":7,\"amount\":-1,\"at\":2000}\n")
consumer("" log import orders orders.jsonl --key customer --timestamp at)
consumer("" run --until-end --close)
consumer("\"customer\":7,.*\"orders\":1,\"spent\":2.5}" log read totals --values)
